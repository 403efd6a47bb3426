"""An error comes back from a process that is not believed only if it is one that there is."""

import json

import pytest

from flight_delay.errors import ModelRefused
from flight_delay.model.untrusted import report


def test_an_error_comes_back_as_it_was():
    error = report.read(report.written(ModelRefused("refused_time", seconds=60)))
    assert isinstance(error, ModelRefused)
    assert (error.key, error.facts) == ("refused_time", {"seconds": 60})


def test_facts_that_are_no_numbers_are_made_short_text():
    error = report.read(report.written(ModelRefused("refused_names", names=["x" * 999])))
    assert error.facts == {"names": str(["x" * 999])[:500]}


@pytest.mark.parametrize(
    "said",
    [
        b"",
        b"nonsense",
        b"[]",
        b"[" * 8000,
        b"\xff",
        b'{"reason": "refused_names"}',
        b'{"reason": "refused_names", "facts": {}}',
        b'{"reason": "refused_names", "facts": {"names": ["a"]}}',
        b'{"reason": "refused_names", "facts": {"names": NaN}}',
        b'{"reason": "refused_names", "facts": {"names": 1e400}}',
        b'{"reason": "refused_names", "facts": {"names": "a", "language": "pt"}}',
        b'{"reason": "refused_names", "facts": {"names": "a", "reason": "pt"}}',
        b'{"reason": "invented", "facts": {}}',
        b'{"reason": "healthy", "facts": {}}',
        b'{"reason": ["refused_names"], "facts": {"names": "a"}}',
        b'{"reason": "conversion_failed", "facts": {"surprise": 1}}',
        json.dumps({"reason": "refused_names", "facts": {"names": "x" * 501}}).encode(),
        json.dumps({"reason": "refused_names", "facts": {"names": 10**400}}).encode(),
        json.dumps({"reason": "refused_names", "facts": {"names": "x" * 10_000_000}}).encode(),
    ],
    ids=lambda said: said[:60],
)
def test_an_invented_refusal_is_not_believed(said):
    assert report.read(said) is None


def test_what_a_refusal_says_steers_no_terminal():
    said = {"reason": "refused_names", "facts": {"names": "\x1b[2Jos.system\n"}}
    assert report.read(json.dumps(said).encode()).facts == {
        "names": "\N{REPLACEMENT CHARACTER}[2Jos.system\N{REPLACEMENT CHARACTER}"
    }
