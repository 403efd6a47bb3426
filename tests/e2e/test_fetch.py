"""`flight-delay fetch`, against a server that behaves as the agencies' do."""

import hashlib
import json
import os
import signal
import subprocess
import sys

import pytest
import written
from conftest import SOURCE, run_command
from somewhere import somewhere

BTS = "/On_Time_Reporting_Carrier_On_Time_Performance_1987_present_2013_{}.zip"


@pytest.fixture
def place():
    with somewhere() as place:
        yield place


@pytest.fixture
def months(place, tmp_path):
    """January to March of the bureau, some real flights in each."""
    flights = written.all_records()[::1999]
    for month in range(1, 4):
        lines = [written.as_bts(flight) for flight in flights if flight["month"] == str(month)]
        path = written.bts_file(tmp_path / "made.zip", lines, written.PRESENT)
        place.files[BTS.format(month)] = path.read_bytes()
    (tmp_path / "made.zip").unlink()
    return place


@pytest.fixture
def environment(place):
    return {
        "FLIGHT_DELAY_BTS_URL": place.url,
        "FLIGHT_DELAY_ANAC_URL": place.url,
        "FLIGHT_DELAY_HTTP_TIMEOUT_S": "0.5",
        "NO_PROXY": "127.0.0.1",
    }


@pytest.fixture
def fetch(tmp_path, environment):
    def fetch(*arguments, agency="bts", **more):
        return run_command("fetch", agency, *arguments, folder=tmp_path, **(environment | more))

    return fetch


def names(folder):
    return sorted(path.name for path in folder.iterdir())


class TestBts:
    def test_from_the_server_to_the_table(self, months, fetch, tmp_path):
        done = fetch("--from", "2013-01", "--to", "2013-03")
        assert done.returncode == 0, done.stderr
        assert "3 file(s) fetched, 0 there already, in data/raw/bts" in done.stdout
        folder = tmp_path / "data" / "raw" / "bts"
        assert names(folder) == [*(BTS.format(month)[1:] for month in (1, 2, 3)), "manifest.json"]
        manifest = json.loads((folder / "manifest.json").read_text())
        for name, facts in manifest.items():
            content = months.files[f"/{name}"]
            assert facts["sha256"] == hashlib.sha256(content).hexdigest()
            assert facts["bytes"] == len(content)
            assert facts["url"] == f"{months.url}/{name}"
        command = next(line for line in done.stdout.splitlines() if "flight-delay etl" in line)
        etl = run_command(*command.partition("flight-delay ")[2].split(), folder=tmp_path)
        assert etl.returncode == 0, etl.stderr
        assert "0 rows set aside" in etl.stdout

    def test_what_is_there_whole_is_not_fetched_again(self, months, fetch):
        fetch("--from", "2013-01", "--to", "2013-02")
        months.requests.clear()
        done = fetch("--from", "2013-01", "--to", "2013-03", LANG="pt_BR.UTF-8")
        assert "1 arquivo(s) baixado(s), 2 já estava(m)" in done.stdout
        assert [path for path, _ in months.requests] == [BTS.format(3)]

    def test_what_was_changed_or_is_not_known_is(self, months, fetch, tmp_path):
        fetch("--from", "2013-01", "--to", "2013-02")
        folder = tmp_path / "data" / "raw" / "bts"
        (folder / BTS.format(1)[1:]).write_bytes(months.files[BTS.format(1)][:-1] + b"x")
        (folder / BTS.format(3)[1:]).write_bytes(b"from somebody")
        assert "2 file(s) fetched, 1 there already" in fetch("--from", "2013-01", "--to", "2013-03").stdout
        assert (folder / BTS.format(3)[1:]).read_bytes() == months.files[BTS.format(3)]

    def test_etl_does_not_take_what_is_not_what_was_fetched(self, months, fetch, tmp_path):
        fetch("--from", "2013-01", "--to", "2013-01")
        changed = tmp_path / "data" / "raw" / "bts" / BTS.format(1)[1:]
        changed.write_bytes(months.files[BTS.format(2)])
        etl = run_command("etl", "--source", "bts", folder=tmp_path)
        assert etl.returncode == 1
        assert changed.name in etl.stderr
        assert "fetch it again" in etl.stderr

    def test_troubles_on_the_way(self, months, fetch):
        months.troubles[BTS.format(1)] = ["truncate", "stall"]
        months.troubles[BTS.format(2)] = ["status 429 Retry-After: 1", "status 503"]
        months.troubles[BTS.format(3)] = ["truncate", "no ranges"]
        done = fetch("--from", "2013-01", "--to", "2013-03")
        assert "3 file(s) fetched" in done.stdout, done.stderr

    @pytest.mark.parametrize("what", ["page", "half a zip", "damaged zip", "another table"])
    def test_what_is_no_such_file_is_refused(self, months, fetch, tmp_path, what):
        good = months.files[BTS.format(2)]
        months.files[BTS.format(2)] = {
            "page": b"<html><body>Request rejected</body></html>",
            "half a zip": good[: len(good) // 2],
            "damaged zip": good[:200] + bytes(50) + good[250:],
            "another table": b"a,b\n1,2\n",
        }[what]
        done = fetch("--from", "2013-01", "--to", "2013-03")
        assert done.returncode == 1
        assert BTS.format(2)[1:] in done.stderr
        assert names(tmp_path / "data" / "raw" / "bts") == [BTS.format(1)[1:], "manifest.json"]

    @pytest.mark.usefixtures("months")
    def test_months_that_are_not_published_yet(self, fetch):
        done = fetch("--from", "2013-03", "--to", "2013-05")
        assert done.returncode == 0
        assert "1 file(s) fetched" in done.stdout
        assert "Not published, or not yet: 2013-04, 2013-05" in done.stderr
        assert fetch("--from", "2013-04", "--to", "2013-05").returncode == 1

    @pytest.mark.parametrize("stop", [signal.SIGINT, signal.SIGKILL])
    def test_a_stop_in_the_middle(self, months, fetch, environment, tmp_path, stop):
        """It goes on where it was, and half a file is never taken for a file."""
        months.files[BTS.format(2)] += bytes(1 << 20)
        months.slow = 0.02
        command = [sys.executable, "-m", "flight_delay", "fetch", "bts", "--from", "2013-01", "--to", "2013-02"]
        with subprocess.Popen(
            command, cwd=tmp_path, env=os.environ | {"PYTHONPATH": str(SOURCE)} | environment, stderr=subprocess.PIPE
        ) as process:
            folder = tmp_path / "data" / "raw" / "bts"
            part = folder / (BTS.format(2)[1:] + ".part")
            while not (part.is_file() and part.stat().st_size > 100_000):
                assert process.poll() is None, process.stderr.read()
            process.send_signal(stop)
            said = process.stderr.read().decode()
        assert ("Stopped" in said) == (stop == signal.SIGINT)
        assert process.returncode in (128 + stop, -stop)
        assert BTS.format(2)[1:] not in names(folder)
        assert len(json.loads((folder / "manifest.json").read_text())) == 1
        assert run_command("etl", "--source", "bts", folder=tmp_path).returncode == 0
        months.slow = 0
        months.requests.clear()
        fetch("--from", "2013-01", "--to", "2013-02")
        assert int(months.ranges()[0].removeprefix("bytes=").removesuffix("-")) > 100_000

    @pytest.mark.parametrize(
        ("since", "until", "expected"),
        [
            ("2013", "2013-02", "YYYY-MM"),
            ("2013-13", "2014-02", "YYYY-MM"),
            ("1987-09", "1987-12", ">= 1987-10"),
            ("2013-03", "2013-02", "<= 2013-02"),
            ("2013-03", "2999-01", "<= 20"),
        ],
    )
    def test_months_that_there_are_not(self, fetch, tmp_path, since, until, expected):
        done = fetch("--from", since, "--to", until)
        assert done.returncode == 1
        assert expected in done.stderr
        assert not (tmp_path / "data").exists()


class TestAnac:
    def test_names_before_and_since_2010(self, place, fetch, tmp_path):
        lines = [written.siros_line(written.as_anac(flight)) for flight in written.records()[:9]]
        content = "\n".join([written.SIROS, *lines, ""])
        place.files["/2009/VRA_200912.csv"] = content.encode("cp1252")
        place.files["/2010/VRA_2010_01.csv"] = content.encode("utf-8-sig")
        done = fetch("--from", "2009-12", "--to", "2010-01", agency="anac")
        assert "2 file(s) fetched" in done.stdout, done.stderr
        assert names(tmp_path / "data" / "raw" / "anac") == ["VRA_200912.csv", "VRA_2010_01.csv", "manifest.json"]

    def test_a_page_with_status_200(self, place, fetch):
        place.files["/2024/VRA_2024_01.csv"] = b"<!DOCTYPE html><title>Verificando o navegador</title>"
        done = fetch("--from", "2024-01", "--to", "2024-01", agency="anac")
        assert done.returncode == 1
        assert "VRA_2024_01.csv" in done.stderr

    def test_half_a_file_from_a_server_that_does_not_say_how_long_it_is(self, place, fetch, tmp_path):
        lines = [written.siros_line(written.as_anac(flight)) for flight in written.records()[:9]]
        place.files["/2024/VRA_2024_01.csv"] = "\n".join([written.SIROS, *lines])[:-40].encode()
        place.troubles["/2024/VRA_2024_01.csv"] = ["no length"]
        fetch("--from", "2024-01", "--to", "2024-01", agency="anac")
        assert place.troubles["/2024/VRA_2024_01.csv"] == []
        assert len(place.requests) == 2
        assert names(tmp_path / "data" / "raw" / "anac") == ["VRA_2024_01.csv", "manifest.json"]
