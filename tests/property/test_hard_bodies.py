"""Whatever is sent to the service as it is: an answer, or a refusal in words; never a failure."""

import json

import pytest
from conftest import DOCUMENTED
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from inside import inside
from pydantic import ValidationError

from flight_delay.api.body import read, write
from flight_delay.flight import Flight, Weather, ranges

FLIGHT = json.dumps(DOCUMENTED).encode()
KEYS = [*Flight.model_fields, *Weather.model_fields, "include", "flights", ""]
PREDICT = "/model/predict/"
JSON = (b"content-type", b"application/json")
_whitespace = st.text(" \t\r\n", max_size=2)
_numbers = st.from_regex(r"-?(0|[1-9][0-9]{0,25})(\.[0-9]{1,25})?([eE][+-]?[0-9]{1,4})?", fullmatch=True)
_odd = st.sampled_from(
    ["NaN", "Infinity", "-Infinity", "-0", "-0.0", "1e999", "-1e999", "1" + "0" * 400, "9" * 4301, "07", "+1", ".5", "1.",
     "0x10", "1_000", "true", "null", '"\\ud800"', '"\\u0000"', "[" * 300, "undefined", "'x'", "9223372036854775808"]
)  # fmt: skip
_texts = st.text(max_size=12).map(json.dumps) | st.sampled_from(['"JFK"', '"LAX"', '"DL"'])


def objects(values):
    """Objects as text, in which a key may come twice."""
    keys = st.sampled_from(KEYS).map(json.dumps) | _texts
    pairs = st.builds("{}{}:{}{}".format, _whitespace, keys, _whitespace, values)
    return st.lists(pairs, max_size=16).map(lambda items: "{" + ",".join(items) + "}")


_values = st.recursive(
    _numbers | _odd | _texts,
    lambda inner: st.lists(inner, max_size=4).map(lambda items: f"[{','.join(items)}]") | objects(inner),
    max_leaves=12,
)


@st.composite
def damaged(draw):
    """A flight of which some bytes are cut out, doubled, or replaced."""
    body = bytearray(FLIGHT)
    for _ in range(draw(st.integers(1, 4))):
        start = draw(st.integers(0, len(body)))
        end = draw(st.integers(start, min(len(body), start + 30)))
        body[start:end] = draw(st.binary(max_size=12) | st.just(bytes(body[start:end]) * 2) | _odd.map(str.encode))
    return bytes(body)


@st.composite
def flights_with(draw):
    """A flight in which one field is replaced by, or joined by, whatever JSON there is."""
    fields = dict(json.loads(FLIGHT)) | {draw(st.sampled_from(KEYS)): "@"}
    return json.dumps(fields).replace('"@"', draw(_values)).encode("utf-8", "surrogatepass")


bodies = (
    st.binary()
    | damaged()
    | flights_with()
    | objects(_values).map(lambda text: text.encode("utf-8", "surrogatepass"))
    | st.text().map(lambda text: text.encode("utf-16", "surrogatepass"))
)
headers = st.lists(
    st.tuples(
        st.sampled_from(
            [b"content-type", b"accept", b"accept-language", b"x-request-id", b"traceparent", b"content-length", b"a",
             b"authorization", b"x-api-key", b"content-encoding", b"inference-header-content-length", b"host"]
        ),
        st.binary(max_size=40).filter(lambda value: not set(value) & {0, 10, 13}),
    ),
    max_size=6,
)  # fmt: skip
queries = st.text("".join(map(chr, range(0x21, 0x7F))), max_size=60).map(str.encode)
many = settings(
    max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)


@pytest.fixture(scope="module")
def service(trained, tmp_path_factory):
    with inside(trained.model.parent, tmp_path_factory.mktemp("inside")) as service:
        yield service


def verdict(read, body):
    """Return what a body is read as, as JSON, or the errors for which it is refused."""
    try:
        return json.loads(write(read(body)))
    except ValidationError as error:
        return [(one["type"], one["loc"]) for one in error.errors(include_url=False)]


@many
@given(body=bodies)
def test_what_is_read_quickly_is_read_as_pydantic_reads_it(body):
    said, expected = verdict(read, body), verdict(Flight.model_validate_json, body)
    assert said == expected or {kind for kind, _ in said} == {"repeated_key"}


@pytest.mark.parametrize("field", [*ranges(Flight), *ranges(Weather)])
def test_ranges(field):
    low, high = (ranges(Flight) | ranges(Weather))[field]
    for value in (
        low,
        high,
        low - 1,
        high + 1,
        low - 0.5,
        high + 0.5,
        2**63,
        -(2**63),
        2**64,
        10**30,
        -(10**30),
        1e300,
    ):
        for text in {json.dumps(value), f"{value:.1f}", f"{value:e}"}:
            fields = DOCUMENTED | ({field: "@"} if field in Flight.model_fields else {"weather": {field: "@"}})
            body = json.dumps(fields).replace('"@"', text).encode()
            assert verdict(read, body) == verdict(Flight.model_validate_json, body), text


@many
@given(body=bodies, pieces=st.integers(1, 4))
def test_a_prediction(service, body, pieces):
    answer = service.ask(PREDICT, body, pieces=pieces)
    assert answer.status in {200, 413, 422}
    assert (answer.status == 200) == isinstance(verdict(read, body), dict)


@many
@given(body=bodies, headers=headers, query=queries)
def test_any_head_of_a_prediction(service, body, headers, query):
    service.ask(PREDICT, body, *headers, query=query)


@many
@given(query=queries, headers=headers, method=st.sampled_from(["GET", "HEAD", "OPTIONS", "PUT", "DELETE", "PATCH"]))
def test_any_query_and_path(service, query, headers, method):
    for path in (
        "/model/history/",
        "/v1/travel/predictions/flight-delay",
        "/",
        "/" + query.decode(),
        "/v2/" + query.decode(),
    ):
        service.ask(path, b"", *headers, query=query, method=method)


@many
@given(
    body=bodies | st.lists(flights_with(), max_size=3).map(lambda rows: b"[" + b",".join(rows) + b"]"),
    pieces=st.integers(1, 4),
    path=st.sampled_from(
        ["/model/predict/batch/", "/invocations/", "/v2/models/flight-delay/infer", "/model/outcomes/", "/model/load/",
         "/model/rollback/", "/model/shadow/", "/model/versions/1/promote/"]
    ),
    kind=st.sampled_from(
        [b"application/json", b"application/x-ndjson", b"application/vnd.apache.arrow.stream", b"text/csv", b"a/b",
         b"multipart/form-data; boundary=x", b"multipart/form-data", b"application/json; charset=utf-16", b""]
    ),
)  # fmt: skip
def test_any_body_of_any_other_route(service, body, pieces, path, kind):
    service.ask(path, body, (b"content-type", kind), pieces=pieces)
