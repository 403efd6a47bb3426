"""Whatever bytes are sent: a clear refusal or a closed connection, never a 500, and the service goes on answering."""

import gzip
import json
import math

import pytest
from watched import MEGABYTE, memory
from wire import FLIGHT, HEALTH, PREDICT, ask, ask_last, head, post, post_chunks, seconds_to_answer

SOON_S = 8
LARGE = 100 * 1000 * 1000


@pytest.fixture(autouse=True)
def port(shared_server):
    """Where the service is; after each test it answers as before, and has failed at nothing."""
    yield shared_server.port
    assert seconds_to_answer(shared_server.port) < SOON_S
    assert "Traceback" not in shared_server.log()


def flight(**fields):
    return json.dumps(json.loads(FLIGHT) | fields).encode()


def with_text(text):
    """Return a flight with something more in it, as it stands."""
    return FLIGHT[:-1] + b"," + text + b"}"


class TestHeads:
    @pytest.mark.parametrize(
        "sent",
        [
            b"\x00\x01\x02\r\n\r\n",
            b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
            b"GET\r\n\r\n",
            b"BREW /health/ HTTP/1.1\r\nHost: x\r\n\r\n",
            b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
            b"CONNECT example.org:443 HTTP/1.1\r\nHost: x\r\n\r\n",
            b"GET /\xe9/ HTTP/1.1\r\nHost: x\r\n\r\n",
            b"GET /health/ HTTP/1.1\nHost: x\n\n",
            b"GET /health/ HTTP/1.1\r\nHost: x\rA: b\r\n\r\n",
            b"GET /health/ HTTP/1.1\r\nHost : x\r\n\r\n",
            b"GET /health/ HTTP/1.1\r\nHost: x\r\nA: b\x00c\r\n\r\n",
            b"GET /health/ HTTP/1.1\r\nHost: x\r\nA: b\r\n c\r\n\r\n",
            head(b"POST", PREDICT, b"Content-Length: 5", b"Transfer-Encoding: chunked") + b"0\r\n\r\n",
            head(b"POST", PREDICT, b"Content-Length: 5", b"Content-Length: 6") + b"abcdef",
            head(b"POST", PREDICT, b"Content-Length: 5", b"Content-Length: 5") + b"abcde",
            head(b"POST", PREDICT, b"Content-Length: -5") + b"abcde",
            head(b"POST", PREDICT, b"Content-Length: 5, 5") + b"abcde",
            head(b"POST", PREDICT, b"Content-Length: " + b"9" * 30),
            head(b"POST", PREDICT, b"Transfer-Encoding: xchunked") + b"0\r\n\r\n",
            head(b"POST", PREDICT, b"Transfer-Encoding: chunked") + b"zz\r\n{}\r\n0\r\n\r\n",
            head(b"POST", PREDICT, b"Transfer-Encoding: chunked") + b"-1\r\n{}\r\n0\r\n\r\n",
            head(b"POST", PREDICT, b"Transfer-Encoding: chunked") + b"f" * 17 + b"\r\n{}\r\n0\r\n\r\n",
            head(b"POST", PREDICT, b"Transfer-Encoding: chunked") + b"2\r\n{}junk\r\n0\r\n\r\n",
        ],
        ids=lambda sent: repr(sent[-40:]),
    )
    def test_what_is_no_request_and_what_could_be_read_in_two_ways(self, port, sent):
        assert ask_last(port, sent).problem == "not-http"

    def test_what_follows_a_request_and_is_none(self, port):
        first, second, refused = ask_last(port, post() + HEALTH + b"\x00\r\n\r\n", 3)
        assert (first.status, second.status, refused.problem) == (200, 200, "not-http")
        assert first.json().keys() == {"prediction"}

    def test_a_body_that_goes_wrong_behind_requests_that_are_whole(self, port):
        broken = head(b"POST", PREDICT, b"Transfer-Encoding: chunked") + b"zz\r\n"
        assert [answer.status for answer in ask_last(port, post() * 2 + broken, 3)] == [200, 200, 400]

    def test_in_the_language_that_was_asked_for(self, port):
        refused = ask_last(port, head(b"GET", b"/" + b"a" * 9000, b"Accept-Language: en"))
        assert "shorten it" in refused.json()["detail"]
        assert "encurte" in ask_last(port, head(b"GET", b"/" + b"a" * 9000)).json()["detail"]
        assert refused.headers["x-request-id"]

    def test_a_long_url(self, port):
        assert ask(port, head(b"GET", b"/" + b"a" * 8000)).problem == "no-route"
        for length in (9000, 100_000, 5_000_000):
            assert ask_last(port, head(b"GET", b"/" + b"a" * length)).problem == "url-too-long"

    def test_many_fields_and_large_ones(self, port):
        assert ask(port, head(b"GET", b"/health/", *[b"A: b"] * 99)).status == 200
        assert ask(port, head(b"GET", b"/health/", b"A: " + b"b" * 60_000)).status == 200
        for fields in ([b"A: b"] * 100, [b"A: b"] * 50_000, [b"A: " + b"b" * 70_000]):
            assert ask_last(port, head(b"GET", b"/health/", *fields)).problem == "head-too-large"

    @pytest.mark.parametrize(
        "sent",
        [
            head(b"GET", b"/health/")[:-2] + b"A: " + b"b" * 3_000_000,
            head(b"GET", b"/health/")[:-2] + b"A: b\r\n" * 500_000,
            head(b"POST", PREDICT, b"Transfer-Encoding: chunked") + b"2\r\n{}\r\n0\r\n" + b"A: b\r\n" * 500_000,
            head(b"POST", PREDICT, b"Transfer-Encoding: chunked") + b"2\r\n{}\r\n0\r\nA:" + b"b" * 3_000_000,
            head(b"POST", PREDICT, b"Transfer-Encoding: chunked") + b"2;" + b"b" * 3_000_000,
        ],
        ids=["one field", "fields", "fields behind a body", "one field behind a body", "an extension of a chunk"],
    )
    def test_what_never_ends(self, port, sent):
        assert ask_last(port, sent).problem == "head-too-large"

    def test_fields_behind_a_body_are_passed_over(self, port):
        body = b"%x\r\n%s\r\n0\r\nA: b\r\n\r\n" % (len(FLIGHT), FLIGHT)
        assert ask(port, head(b"POST", PREDICT, b"Transfer-Encoding: chunked") + body).status == 200

    def test_fields_that_come_twice(self, port):
        twice = post(FLIGHT, b"X-Request-Id: one", b"X-Request-Id: two", b"Accept-Language: en", b"Accept-Language: pt")
        assert ask(port, twice).headers["x-request-id"] == "one"

    @pytest.mark.parametrize("given", [b"\xff", b"a\tb", b"a b", b"a" * 129])
    def test_an_id_that_no_log_could_carry_is_replaced(self, port, given):
        answer = ask(port, post(FLIGHT, b"X-Request-Id: " + given))
        assert len(answer.headers["x-request-id"]) == 32

    def test_other_versions_of_http(self, port):
        for version, fields in ((b"1.0", []), (b"1.0", [b"Connection: keep-alive"]), (b"2.0", [])):
            assert ask_last(port, head(b"GET", b"/health/", *fields, version=version)).status == 200
        assert ask_last(port, post(FLIGHT).replace(b"HTTP/1.1", b"HTTP/1.0")).status == 200

    def test_a_client_that_says_that_it_sends_nothing_more(self, port):
        assert ask_last(port, post(), ends=True).status == 200
        assert [answer.status for answer in ask_last(port, post() * 3, 3, ends=True)] == [200, 200, 200]
        ask_last(port, post()[:-5], 0, ends=True)

    def test_a_connection_that_its_client_closes(self, port):
        assert ask_last(port, post(FLIGHT, b"Connection: close") + HEALTH).status == 200


class TestMethodsAndPaths:
    @pytest.mark.parametrize("method", [b"GET", b"PUT", b"DELETE", b"OPTIONS", b"TRACE", b"PROPFIND"])
    def test_a_method_that_the_route_does_not_take(self, port, method):
        answer = ask(port, head(method))
        assert (answer.status, answer.problem, answer.headers["allow"]) == (405, "wrong-method", "POST")

    def test_head(self, port):
        answer = ask(port, head(b"HEAD"), has_body=False)
        assert (answer.status, answer.body) == (405, b"")

    @pytest.mark.parametrize(
        ("path", "status"),
        [
            (b"http://elsewhere/health/", 200),
            (b"/%68ealth/", 200),
            (b"/health/#fragment", 200),
            (b"/health", 200),
            (b"//health//", 404),
            (b"/health//", 404),
            (b"/model/../health/", 404),
            (b"/%2e%2e/health/", 404),
            (b"/%ff%fe/", 404),
            (b"/%00/", 404),
            (b"/%", 404),
            (b"/%zz", 404),
            (b"*", 404),
            (b"/model/versions/%00/", 422),
            (b"/model/versions/" + b"9" * 5000 + b"/", 422),
            (b"/model/history/99999999999999999999/", 405),
        ],
    )
    def test_paths(self, port, path, status):
        answer = ask(port, head(b"GET", path))
        assert answer.status == status
        assert status == 200 or answer.problem

    @pytest.mark.parametrize("wish", [b"websocket", b"h2c"])
    def test_another_protocol_is_not_taken_up(self, port, wish):
        fields = b"Connection: Upgrade, HTTP2-Settings", b"Upgrade: " + wish, b"Sec-WebSocket-Version: 13"
        asked = head(b"GET", b"/health/", *fields) + post(FLIGHT, *fields) + post_chunks(FLIGHT[:9], FLIGHT[9:])
        assert [answer.status for answer in ask(port, asked + HEALTH, 4)] == [200] * 4


class TestBodies:
    @pytest.mark.parametrize(
        ("body", "refused"),
        [
            (b"", ""), (b" ", ""), (b"\x00", ""), (b"null", ""), (b"[]", ""), (b'"JFK"', ""), (b"{", ""), (FLIGHT[:-1], ""),
            (b"\xef\xbb\xbf" + FLIGHT, ""),
            (FLIGHT.decode().encode("utf-16"), ""), (FLIGHT.decode().encode("utf-32"), ""),
            (FLIGHT + FLIGHT, ""), (FLIGHT + b"\x00", ""),
            (FLIGHT.replace(b'"JFK"', b'"\xff\xfe"'), ""), (FLIGHT.replace(b'"JFK"', b'"\xc0\xaf"'), ""),
            (FLIGHT.replace(b'"JFK"', b'"\xed\xa0\x80"'), ""), (FLIGHT.replace(b'"JFK"', b'"\\ud800"'), ""),
            (FLIGHT.replace(b'"JFK"', b'"J\x00K"'), ""), (FLIGHT.replace(b'"JFK"', b'"J\\u0000K"'), "origin"),
            (FLIGHT.replace(b'"JFK"', '"ＪＦＫ"'.encode()), "origin"), (FLIGHT.replace(b'"JFK"', b'"JFK\\n"'), "origin"),
            (with_text(b'"\\ud800":1'), ""), (with_text(b'"\xff":1'), ""), (with_text(b'"":1'), ""),
            (b"[" * 60_000, ""), (b'{"a":' * 10_000, ""), (with_text(b'"year":' + b"[" * 150 + b"]" * 150), "year"),
            (with_text(b'"year":' + b"[" * 30_000 + b"]" * 30_000), ""),
            (with_text(b'"weather":' + b'{"weather":' * 150 + b"1" + b"}" * 150), "weather.weather"),
            (with_text(b'"year":' + b"9" * 60_000), ""), (with_text(b'"year":1' + b"0" * 400), "year"),
            (flight(month=2**63), "month"), (flight(month=2**64), "month"), (flight(month=-(2**63)), "month"),
            (flight(month=True), "month"), (flight(month="7"), "month"), (flight(month=7.5), "month"),
            (FLIGHT.replace(b'"month": 7', b'"month": 07'), ""), (FLIGHT.replace(b'"month": 7', b'"month": +7'), ""),
            (flight(distance=math.nan), "distance"), (flight(distance=math.inf), "distance"),
            (flight(dep_delay=-math.inf), "dep_delay"), (flight(weather={"temp_c": math.nan}), "weather.temp_c"),
            (FLIGHT.replace(b"3983.0", b"1e999"), "distance"), (FLIGHT.replace(b"3983.0", b"-1e999"), "distance"),
            (FLIGHT.replace(b"3983.0", b"1" + b"0" * 400), "distance"),
            (FLIGHT.replace(b"3983.0", b"9" * 60_000), ""),
            (flight(weather=[]), "weather"), (flight(weather={"temp_c": {}}), "weather.temp_c"),
            (flight(tailnum="A" * 60_000), "tailnum"), (flight(origin="J" * 60_000), "origin"),
        ],
        ids=lambda body: repr(body[-30:]),
    )  # fmt: skip
    def test_what_is_no_flight(self, port, body, refused):
        answer = ask(port, post(body))
        assert answer.status == 422
        fields = [name for name, _ in answer.fields]
        assert fields == [refused] or (refused == "" and body.endswith(b'":1}'))
        assert len(answer.body) < 2000

    @pytest.mark.parametrize(
        "body",
        [
            FLIGHT + b" \n", FLIGHT.replace(b'"month": 7', b'"month": 7.0'), FLIGHT.replace(b'"month": 7', b'"month": 7e0'),
            FLIGHT.replace(b"10.0", b"-0"), FLIGHT.replace(b"10.0", b"-0.0"), FLIGHT.replace(b"10.0", b"1e-999"),
            FLIGHT.replace(b"3983.0", b"0." + b"0" * 60_000 + b"1"), FLIGHT.replace(b'"month"', b'"\\u006donth"'),
        ],
        ids=lambda body: repr(body[-30:]),
    )  # fmt: skip
    def test_what_is_one(self, port, body):
        assert math.isfinite(ask(port, post(body)).json()["prediction"])

    def test_many_wrong_keys_are_counted_and_not_all_repeated(self, port):
        answer = ask(port, post(json.dumps({f"month{number}": 1 for number in range(4000)}).encode()))
        assert (answer.status, len(answer.fields)) == (422, 100)
        assert "4006 problema(s)" in answer.json()["detail"]

    def test_a_long_key_is_not_repeated_whole(self, port):
        answer = ask(port, post(with_text(b'"' + b"a" * 60_000 + b'":1')))
        assert [len(name) for name, _ in answer.fields] == [100]

    @pytest.mark.parametrize(
        "kind", [b"text/plain", b"application/x-www-form-urlencoded", b"", b"\xff", b"a/b; charset=utf-16"]
    )
    def test_json_is_json_whatever_it_is_called(self, port, kind):
        assert ask(port, post(FLIGHT, b"Content-Type: " + kind)).status == 200

    @pytest.mark.parametrize(
        ("body", "refused"),
        [
            (with_text(b'"month":8'), [("month", 8)]),
            (with_text(b'"month":7'), [("month", 7)]),
            (with_text(b'"dep_delay":null'), [("dep_delay", None)]),
            (with_text(b'"dep_delay":null,"dep_delay":5'), [("dep_delay", None), ("dep_delay", 5)]),
            (with_text(b'"\\u006donth":8'), [("month", 8)]),
            (with_text(b'"weather":{"temp_c":1,"temp_c":2}'), [("weather.temp_c", 2)]),
            (with_text(b'"weather":{"temp_c":1},"weather":{}'), [("weather", None)]),
            (with_text(b'"year":null,"year":2013'), [("year", 2013)]),
        ],
    )
    def test_a_key_that_comes_twice(self, port, body, refused):
        answer = ask(port, post(body, b"Accept-Language: en"))
        assert (answer.status, answer.fields) == (422, refused)
        assert "send it once" in answer.json()["detail"]

    def test_null_is_what_is_not_sent(self, port):
        body = with_text(b'"year":null,"weather":{"temp_c":null},"tailnum":null')
        assert ask(port, post(body)).json() == ask(port, post()).json()

    def test_a_compressed_body(self, port):
        answer = ask(port, post(gzip.compress(FLIGHT), b"Content-Encoding: gzip", b"Accept-Language: en"))
        assert (answer.status, answer.problem) == (415, "no-such-encoding")
        assert "without compression" in answer.json()["detail"]
        assert ask(port, post(FLIGHT, b"Content-Encoding: identity")).status == 200


class TestLargeBodies:
    def test_one_that_says_so_is_not_read(self, port, shared_server):
        before = memory(shared_server)
        for fields in ([], [b"Expect: 100-continue"]):
            asked = head(b"POST", PREDICT, b"Content-Length: %d" % LARGE, *fields)
            assert ask_last(port, asked).problem == "body-too-large"
        assert ask_last(port, post(b" " * LARGE)).problem == "body-too-large"
        assert memory(shared_server) < before + 20 * MEGABYTE

    def test_one_that_does_not_say_so_is_read_up_to_the_limit(self, port, shared_server):
        before = memory(shared_server)
        assert ask_last(port, post_chunks(*[b" " * 2**16] * (LARGE // 2**16))).problem == "body-too-large"
        assert memory(shared_server) < before + 20 * MEGABYTE

    def test_the_largest(self, port):
        assert ask(port, post(FLIGHT.ljust(2**16))).status == 200
        assert ask_last(port, post(FLIGHT.ljust(2**16 + 1))).status == 413
        assert ask_last(port, post_chunks(*[bytes([byte]) for byte in FLIGHT], b" " * 2**16)).status == 413

    def test_in_chunks_of_one_byte(self, port):
        assert ask(port, post_chunks(*[bytes([byte]) for byte in FLIGHT])).status == 200

    def test_one_that_is_announced_is_waited_for(self, port):
        asked = head(b"POST", PREDICT, b"Content-Length: %d" % len(FLIGHT), b"Expect: 100-continue")
        assert [answer.status for answer in ask(port, asked + FLIGHT, 2)] == [100, 200]

    def test_one_where_nothing_is(self, port):
        asked = head(b"POST", b"/nowhere/", b"Content-Length: 9") + b"{}     \n\n" + HEALTH
        assert [answer.status for answer in ask(port, asked, 2)] == [404, 200]


class TestInclude:
    @pytest.mark.parametrize(
        ("query", "count"),
        [
            (b"include=", 1),
            (b"include=%ff%00", 1),
            (b"include=interval;include=notes", 1),
            (b"include=" + b"x," * 3000, 2),
            (b"include=" + b",".join(b"x%d" % number for number in range(1000)), 100),
            (b"&".join(b"a%d=1" % number for number in range(800)), 100),
            (b"%", 1),
            (b"=", 1),
        ],
        ids=lambda query: repr(query)[:40],
    )
    def test_what_is_not_understood(self, port, query, count):
        answer = ask(port, post(FLIGHT, path=PREDICT + b"?" + query))
        assert (answer.status, len(answer.fields)) == (422, count)

    @pytest.mark.parametrize("query", [b"", b"&&&", b"include=interval" + b",interval" * 800])
    def test_what_is(self, port, query):
        assert ask(port, post(FLIGHT, path=PREDICT + b"?" + query)).status == 200
