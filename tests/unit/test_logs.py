"""The log has one form, the id of the request, and nothing of what the request brought."""

import asyncio
import json
import logging
import logging.config
import warnings
from pathlib import Path

import pytest

from flight_delay.api import logs
from flight_delay.errors import StoreUnavailable
from flight_delay.flight import Flight

SCOPE = {
    "type": "http",
    "method": "POST",
    "path": "/model/predict/",
    "query_string": b"include=interval&flight=1492",
    "client": ("203.0.113.7", 50123),
    "headers": [(b"authorization", b"Bearer fd_12345678_abc"), (b"user-agent", b"curl/8")],
    "state": {"request_id": "r-1", "caller": "ana"},
}
PERSONAL = ("203.0.113.7", "50123", "1492", "fd_12345678", "curl/8", "N123JB", "include")


@pytest.fixture
def logged(capsys):
    """Set the log up; what is called gives the lines that were written since."""
    root = logging.getLogger()
    before = root.handlers[:], root.level

    def begin(form="json", which="all", level="warning"):
        logging.config.dictConfig(logs.config(form, which, level))
        return lambda: [json.loads(line) if form == "json" else line for line in capsys.readouterr().err.splitlines()]

    yield begin
    logging.captureWarnings(False)
    logging.config.dictConfig({"version": 1, "disable_existing_loggers": False})
    for name in ("flight_delay.requests", "python_multipart"):
        logging.getLogger(name).setLevel(logging.NOTSET)
        logging.getLogger(name).filters.clear()
    root.handlers[:], root.level = before


def test_a_request_is_one_object(logged):
    written = logged()
    logs.answered(SCOPE, "/model/predict/", 200, 0.0123456, 3)
    [line] = written()
    assert line.pop("time").endswith("+00:00")
    assert line == {
        "level": "info",
        "logger": "flight_delay.requests",
        "message": "POST /model/predict/ 200",
        "request_id": "r-1",
        "method": "POST",
        "route": "/model/predict/",
        "status": 200,
        "duration_ms": 12.346,
        "model_version": 3,
        "caller": "ana",
    }


@pytest.mark.parametrize("form", ["json", "text"])
@pytest.mark.parametrize("status", [200, 422, 429, 500, 503])
def test_nothing_of_what_it_brought_is_logged(logged, form, status):
    written = logged(form)
    logs.answered(SCOPE, "other", status, 0.01, None)
    [line] = written()
    assert "r-1" in str(line)
    assert not [word for word in PERSONAL if word in str(line)]


def test_why_it_was_refused_is_named(logged):
    written = logged()
    logs.answered(SCOPE | {"state": {"problem": "store_busy"}}, "/model/predict/", 503, 0.01, 3)
    assert [(line["level"], line["problem"]) for line in written()] == [("warning", "store_busy")]


@pytest.mark.parametrize(
    ("which", "statuses"), [("none", []), ("failed", [429, 500, 503]), ("all", [200, 404, 422, 429, 500, 503])]
)
def test_which_requests_are_logged(logged, which, statuses):
    written = logged(which=which, level="error")
    for status in (200, 404, 422, 429, 500, 503):
        logs.answered(SCOPE, "/model/predict/", status, 0.01, 3)
    assert [line["status"] for line in written()] == statuses


def test_that_it_is_not_ready_is_no_failure(logged):
    written = logged(which="failed")
    for route in ("/health/ready/", "/v2/health/ready"):
        logs.answered(SCOPE, route, 503, 0.01, None)
    assert written() == []


@pytest.mark.parametrize(("which", "most"), [("failed", logs.MOST_FAILED_PER_S), ("all", 3000)])
def test_a_flood_of_refusals_does_not_flood_the_log(logged, monkeypatch, which, most):
    now = [0.0]
    monkeypatch.setattr(logs, "monotonic", lambda: now[0])
    written = logged(which=which)
    for _ in range(3000):
        logs.answered(SCOPE, "/model/predict/", 503, 0.01, 3)
    now[0] += 1
    logs.answered(SCOPE, "/model/predict/", 503, 0.01, 3)
    *flood, last = written()
    assert len(flood) == most
    assert last.get("left_out", 0) == 3000 - most


@pytest.mark.parametrize(("level", "heard"), [("debug", 4), ("info", 3), ("warning", 2), ("error", 1)])
def test_the_least_that_is_logged(logged, level, heard):
    written = logged(level=level)
    for each in (logging.DEBUG, logging.INFO, logging.WARNING, logging.ERROR):
        logging.getLogger("uvicorn.error").log(each, "%s", "said")
    assert len(written()) == heard


def test_whatever_is_logged_during_a_request_has_its_id(logged):
    written = logged()

    async def request(number):
        logs.request_id.set(f"r-{number}")
        await asyncio.sleep(0.01)
        logging.getLogger("anywhere").warning("on the loop")
        await asyncio.to_thread(logging.getLogger("anywhere").warning, "in a thread")

    async def requests():
        await asyncio.gather(*(asyncio.create_task(request(number)) for number in range(3)))
        logging.getLogger("anywhere").warning("beside")

    asyncio.run(requests())
    *during, beside = written()
    assert sorted(line["request_id"] for line in during) == sorted(["r-0", "r-1", "r-2"] * 2)
    assert "request_id" not in beside


def failure(kind):
    """Return an exception, raised, whose words are those of a request."""
    try:
        match kind:
            case "pydantic":
                Flight.model_validate_json(b'{"month": 7, "tailnum": "N123JB", "carrier": ["N123JB"]}')
            case "key":
                return {}["N123JB"]
            case "cause":
                try:
                    int("N123JB")
                except ValueError as error:
                    raise StoreUnavailable("N123JB") from error
            case "group":
                raise ExceptionGroup("N123JB", [ValueError("N123JB"), KeyError("N123JB")])
            case "note":
                error = ValueError("x")
                error.add_note("N123JB")
                raise error
    except Exception as error:
        return error


@pytest.mark.parametrize("form", ["json", "text"])
@pytest.mark.parametrize("kind", ["pydantic", "key", "cause", "group", "note"])
def test_an_exception_tells_where_it_came_from_and_not_what_was_sent(logged, form, kind):
    error = failure(kind)
    assert "N123JB" in str(error) + repr(getattr(error, "__notes__", ""))
    written = logged(form)
    logging.getLogger("uvicorn.error").error("failed", exc_info=error)
    lines = written()
    told = lines[0]["exception"] if form == "json" else "\n".join(lines)
    values = [line for line in told.splitlines() if "N123JB" in line and not line.startswith("    ")]
    assert values == []  # what is left are this file's own lines of code
    assert "in failure" in told
    assert type(error).__name__ in told
    assert ("ValueError" in told) == (kind in {"cause", "group", "note"})


def test_what_the_system_itself_says_is_told(logged):
    written = logged()
    try:
        Path("/nowhere/N123JB").read_text()
    except OSError:
        logging.getLogger("uvicorn.error").exception("failed")
    [line] = written()
    assert line["exception"].endswith("builtins.FileNotFoundError: No such file or directory\n")


def test_a_task_that_failed_unseen_is_told_without_its_words(logged):
    written = logged()

    async def fail():
        raise ValueError("N123JB")

    async def lose():
        task = asyncio.get_running_loop().create_task(fail())
        await asyncio.sleep(0)
        del task

    asyncio.run(lose())
    [line] = written()
    assert line["message"] == "Task exception was never retrieved"
    assert line["exception"].endswith("builtins.ValueError\n")


def test_warnings_have_the_same_form(logged):
    written = logged()
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        logging.captureWarnings(True)
        warnings.warn("something is old", DeprecationWarning, stacklevel=1)
    [line] = written()
    assert line["logger"] == "py.warnings"
    assert "something is old" in line["message"]


def test_a_message_of_many_lines_is_one_line_in_any_alphabet(logged):
    written = logged()
    logging.getLogger("uvicorn.error").error("não\nsei \u2028 \udc80 %s", "\x00")
    [line] = written()
    assert line["message"] == "não\nsei \u2028 \udc80 \x00"


def test_a_library_that_quotes_what_was_sent_is_not_heard(logged):
    written = logged(level="debug")
    logging.getLogger("python_multipart.multipart").warning("Invalid character %r", "N123JB")
    assert written() == []
