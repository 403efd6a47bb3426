"""Reads what is in a fitted object that somebody sent: nothing of it is believed before it was looked at."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
from numpy.typing import NDArray

from flight_delay.errors import BrokenArtifact, ModelRefused


@contextmanager
def refusing() -> Iterator[None]:
    """Make a refusal of whatever a hostile object leads to that was not foreseen, a RecursionError among it."""
    try:
        yield
    except ModelRefused:
        raise
    except BrokenArtifact as error:
        raise ModelRefused("refused_unreadable", problem=error.facts["problem"]) from error
    except Exception as error:
        raise ModelRefused("refused_unreadable", problem=f"{kind_of(error)}: {error}"[:200]) from error


def kind_of(owner: Any) -> str:
    """Return the name of an object's class, as a person would write it."""
    return type(owner).__name__


def unfit(owner: Any, name: str, problem: str) -> ModelRefused:
    """Return the refusal of an attribute that `fit` would not have left so."""
    return ModelRefused("refused_fitted", attribute=f"{kind_of(owner)}.{name}", problem=problem)


def attribute(owner: Any, name: str) -> Any:
    """Return an attribute of the object itself: no property is asked, so that nothing of it is called."""
    try:
        return vars(owner)[name]
    except (KeyError, TypeError):
        raise unfit(owner, name, "missing") from None


def optional(owner: Any, name: str) -> Any:
    """Return an attribute of the object itself, or None."""
    return getattr(owner, "__dict__", {}).get(name)


def whole(owner: Any, name: str) -> int:
    """Return an attribute that is a whole number."""
    value = attribute(owner, name)
    if type(value) is int or isinstance(value, np.integer):
        return int(value)
    raise unfit(owner, name, f"{type(value).__name__} for a whole number")


def flag(owner: Any, name: str) -> bool:
    """Return an attribute that is true or false; one that older versions had not is false."""
    value = optional(owner, name)
    if value is None or isinstance(value, bool | np.bool_):
        return bool(value)
    raise unfit(owner, name, f"{type(value).__name__} for true or false")


def sequence(owner: Any, name: str) -> list[Any]:
    """Return an attribute that is a list, a tuple or an array of one dimension."""
    value = attribute(owner, name)
    if type(value) in {list, tuple} or (type(value) is np.ndarray and value.ndim == 1):
        return list(value)
    raise unfit(owner, name, f"{type(value).__name__} for a list")


def numbers(owner: Any, name: str, size: int | None = None) -> NDArray[np.float64]:
    """Return an attribute that is finite numbers, in one dimension; `size` is how many are needed."""
    return as_numbers(owner, name, attribute(owner, name), size)


def as_numbers(owner: Any, name: str, value: Any, size: int | None = None) -> NDArray[np.float64]:
    """Return a value of an attribute as finite numbers, in one dimension."""
    if type(value) is not np.ndarray or value.dtype.kind not in "fiu" or value.ndim != 1:
        raise unfit(owner, name, f"{_shown(value)} for a list of numbers")
    if size is not None and len(value) != size:
        raise ModelRefused("refused_schema_width", what=f"{kind_of(owner)}.{name}", found=len(value), needed=size)
    found = value.astype(np.float64)
    if not np.isfinite(found).all():
        raise ModelRefused("refused_not_finite", what=f"{kind_of(owner)}.{name}")
    return found


def number(owner: Any, name: str) -> float:
    """Return an attribute that is one finite number, or an array of one."""
    value = attribute(owner, name)
    if type(value) is np.ndarray and value.size == 1 and value.dtype.kind in "fiu":
        value = value.ravel()[0]
    if type(value) not in {int, float} and not isinstance(value, np.floating | np.integer):
        raise unfit(owner, name, f"{_shown(value)} for a number")
    if not math.isfinite(value):
        raise ModelRefused("refused_not_finite", what=f"{kind_of(owner)}.{name}")
    return float(value)


def codes(owner: Any, name: str, value: Any, below: int) -> list[int]:
    """Return a value of an attribute as whole numbers from 0 to below a limit."""
    found: list[Any] = list(value) if type(value) in {list, tuple, np.ndarray} else [None]
    if not all(type(one) is int or isinstance(one, np.integer) for one in found):
        raise unfit(owner, name, f"{_shown(value)} for a list of whole numbers")
    if not all(0 <= one < below for one in found):
        raise unfit(owner, name, "a number is out of range")
    return [int(one) for one in found]


def check_width(owner: Any, columns: int) -> None:
    """Refuse an object that was fitted on another number of columns than it gets."""
    found = whole(owner, "n_features_in_")
    if found != columns:
        raise ModelRefused("refused_schema_width", what=kind_of(owner), found=found, needed=columns)


def _shown(value: Any) -> str:
    if type(value) is np.ndarray:
        return f"{value.dtype} of shape {value.shape}"[:80]
    return type(value).__name__
