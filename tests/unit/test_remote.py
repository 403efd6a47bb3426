"""HTTP to services that are slow, busy, or wrong."""

import hashlib
import logging
import time
import traceback
from contextlib import nullcontext
from email.utils import formatdate

import pytest
from conftest import free_port
from pydantic import SecretStr
from somewhere import somewhere

from flight_delay.errors import RemoteFailed, RemoteRefused, SourceUnreadable
from flight_delay.remote import Remote

KEY = "s3cr3t/+key"
BODY = bytes(range(256)) * 400


@pytest.fixture
def place():
    with somewhere() as place:
        place.files["/file"] = BODY
        yield place


@pytest.fixture(autouse=True)
def direct(monkeypatch):
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")


@pytest.fixture
def remote():
    with Remote(timeout_s=0.3, tries=3, backoff_s=0.01, patience_s=2) as remote:
        yield remote


def anything(_):
    pass


class TestGet:
    def test_the_body(self, place, remote):
        assert remote.get(f"{place.url}/file", {"a": "b c"}) == BODY
        assert place.queries == [{"a": "b c"}]
        assert place.requests[0][1]["user-agent"].startswith("flight-delay/")

    @pytest.mark.parametrize("trouble", ["status 500", "status 503", "status 429", "truncate", "stall", "status 408"])
    def test_what_may_pass_is_tried_again(self, place, remote, trouble):
        place.troubles["/file"] = [trouble, trouble]
        assert remote.get(f"{place.url}/file") == BODY
        assert len(place.requests) == 3

    def test_and_given_up(self, place, remote):
        place.troubles["/file"] = ["status 502"] * 9
        with pytest.raises(RemoteFailed, match="502"):
            remote.get(f"{place.url}/file")
        assert len(place.requests) == 3

    def test_an_answer_whose_end_nobody_announces_may_be_half_of_it(self, place, remote):
        place.troubles["/file"] = ["no length"]
        assert remote.get(f"{place.url}/file") == BODY
        assert len(place.requests) == 2

    def test_nobody_there(self, remote):
        with pytest.raises(RemoteFailed, match="refused"):
            remote.get(f"http://127.0.0.1:{free_port()}/file")

    def test_what_is_wrong_is_not_tried_again(self, place, remote):
        place.troubles["/file"] = ["status 400 body: wrong units"]
        with pytest.raises(RemoteRefused) as caught:
            remote.get(f"{place.url}/file")
        assert caught.value.facts == {"url": f"{place.url}/file", "status": 400, "reason": "wrong units"}
        assert len(place.requests) == 1

    @pytest.mark.parametrize("form", ["seconds", "date"])
    def test_it_comes_back_when_it_is_told_to(self, place, remote, form):
        asked = "1" if form == "seconds" else formatdate(time.time() + 2, usegmt=True)
        place.troubles["/file"] = [f"status 429 Retry-After: {asked}"]
        started = time.monotonic()
        assert remote.get(f"{place.url}/file") == BODY
        assert time.monotonic() - started >= 0.9

    def test_it_does_not_wait_for_hours(self, place, remote):
        place.troubles["/file"] = ["status 429 Retry-After: 7200"]
        with pytest.raises(RemoteFailed, match="7200 seconds"):
            remote.get(f"{place.url}/file")
        assert len(place.requests) == 1

    def test_it_leaves_time_between_requests(self, place):
        with Remote(pause_s=0.2) as slow:
            started = time.monotonic()
            for _ in range(3):
                slow.get(f"{place.url}/file")
        assert time.monotonic() - started >= 0.4


class TestSecrets:
    """A key is in the address, and nowhere else."""

    @pytest.mark.parametrize("trouble", ["", "status 400 body: bad key s3cr3t/+key", "status 500", "truncate"])
    def test_neither_in_errors_nor_in_logs(self, place, remote, caplog, trouble):
        caplog.set_level(logging.DEBUG)
        place.troubles["/file"] = [trouble] * 9
        with pytest.raises((RemoteFailed, RemoteRefused)) if trouble else nullcontext() as caught:
            remote.get(f"{place.url}/file", {"key": SecretStr(KEY)})
        if caught:
            assert "s3cr3t" not in "".join(traceback.format_exception(caught.value))
            assert "?" not in caught.value.facts["url"]
        assert place.queries[0]["key"] == KEY
        assert "HTTP Request: GET" in caplog.text or trouble == "truncate"
        assert "s3cr3t" not in caplog.text

    def test_nor_a_password_in_the_address(self, place, remote):
        place.troubles["/file"] = ["status 400"]
        with pytest.raises(RemoteRefused) as caught:
            remote.get(place.url.replace("//", "//me:password@") + "/file")
        assert "password" not in str(caught.value)


class TestDownload:
    @pytest.fixture
    def fetch(self, place, remote, tmp_path):
        def fetch(check=anything):
            self.seen = []
            path = tmp_path / "file"
            digest = remote.download(f"{place.url}/file", path, check, lambda *done: self.seen.append(done))
            assert path.read_bytes() == place.files["/file"]
            assert digest == hashlib.sha256(place.files["/file"]).hexdigest()
            assert [kept.name for kept in tmp_path.iterdir()] == ["file"]

        return fetch

    def test_whole(self, fetch):
        fetch()
        assert self.seen[-1] == (len(BODY), len(BODY))
        assert self.seen == sorted(self.seen)

    @pytest.mark.parametrize("trouble", ["truncate", "stall"])
    def test_it_goes_on_where_it_stopped(self, place, fetch, trouble):
        place.troubles["/file"] = [trouble, trouble]
        fetch()
        half, quarters = len(BODY) // 2, len(BODY) // 4 * 3
        assert place.ranges() == [None, f"bytes={half}-", f"bytes={quarters}-"]

    def test_a_file_that_comes_bit_by_bit_comes(self, place, fetch):
        place.troubles["/file"] = ["truncate"] * 8  # more than it tries without getting anywhere
        fetch()
        assert len(place.requests) == 9

    def test_a_service_that_knows_no_ranges(self, place, fetch):
        place.troubles["/file"] = ["truncate", "no ranges"]
        fetch()

    def test_a_service_that_sends_another_part(self, place, fetch):
        place.troubles["/file"] = ["truncate", "wrong part"]
        fetch()
        assert place.ranges()[-1] is None

    def test_a_file_that_changes_meanwhile(self, place, remote, tmp_path):
        place.troubles["/file"] = ["truncate"] + ["status 500"] * 9
        with pytest.raises(RemoteFailed):
            remote.download(f"{place.url}/file", tmp_path / "file", anything, lambda *_: None)
        assert (tmp_path / "file.part").stat().st_size == len(BODY) // 2
        place.troubles["/file"].clear()
        place.files["/file"], place.tags["/file"] = BODY[::-1], '"2"'
        remote.download(f"{place.url}/file", tmp_path / "file", anything, lambda *_: None)
        assert (tmp_path / "file").read_bytes() == BODY[::-1]

    def test_a_file_whose_versions_have_no_name_begins_again(self, place, fetch):
        place.tags["/file"] = 'W/"weak"'
        place.troubles["/file"] = ["truncate"]
        fetch()
        assert place.ranges() == [None, None]

    def test_another_day(self, place, remote, tmp_path, fetch):
        place.troubles["/file"] = ["truncate"] + ["status 503"] * 9
        with pytest.raises(RemoteFailed):
            remote.download(f"{place.url}/file", tmp_path / "file", anything, lambda *_: None)
        assert not (tmp_path / "file").exists()
        place.troubles["/file"].clear()
        place.requests.clear()
        fetch()
        assert place.ranges() == [f"bytes={len(BODY) // 2}-"]

    def test_all_of_it_was_there_but_not_named_yet(self, tmp_path, fetch):
        (tmp_path / "file.part").write_bytes(BODY)
        (tmp_path / "file.part.validator").write_text('"1"')
        fetch()

    def test_without_a_length_the_end_cannot_be_told_from_a_loss(self, place, fetch, tmp_path):
        place.troubles["/file"] = ["no length"] * 9
        with pytest.raises(RemoteFailed, match="how long"):
            fetch()
        assert not (tmp_path / "file").exists()

    def test_what_is_not_the_file_is_not_kept(self, fetch, tmp_path):
        def refuse(part):
            raise SourceUnreadable(part, "a page that excuses itself")

        with pytest.raises(SourceUnreadable):
            fetch(refuse)
        assert list(tmp_path.iterdir()) == []

    def test_what_is_not_there(self, place, remote, tmp_path):
        with pytest.raises(RemoteRefused, match="404"):
            remote.download(f"{place.url}/other", tmp_path / "other", anything, lambda *_: None)
        assert list(tmp_path.iterdir()) == []
