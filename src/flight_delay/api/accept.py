"""The header `Accept` (RFC 9110): which of the forms that there are is liked best."""

from __future__ import annotations

from collections.abc import Mapping, Sequence


def best(accept: str, offered: Sequence[str]) -> str | None:
    """Return the media type that is liked best, of equals the first one; None where none of them is taken."""
    qualities = dict(map(_range, accept.split(","))) if accept.strip() else {"*/*": 1.0}
    found = max(offered, key=lambda media_type: _quality(media_type, qualities))
    return found if _quality(found, qualities) else None


def _quality(media_type: str, qualities: Mapping[str, float]) -> float:
    """Return how much a type is liked: as the most specific range says that it is in."""
    kind = media_type.partition("/")[0]
    return next((qualities[name] for name in (media_type, f"{kind}/*", "*/*") if name in qualities), 0.0)


def _range(item: str) -> tuple[str, float]:
    media_range, *parameters = (part.strip().lower() for part in item.split(";"))
    given = [value for name, _, value in (one.partition("=") for one in parameters) if name == "q"]
    try:
        quality = float(given[0]) if given else 1.0
    except ValueError:
        quality = 0.0
    return media_range, quality if 0.0 <= quality <= 1.0 else 0.0
