"""What is counted is told in full, as Prometheus reads it, by whichever process is asked."""

import asyncio
import datetime as dt
import subprocess
import sys
import time

import pytest
from conftest import SOURCE
from prometheus_client.exposition import choose_encoder
from prometheus_client.openmetrics.parser import text_string_to_metric_families as openmetrics
from prometheus_client.parser import text_string_to_metric_families as text
from promtool import promtool
from test_inputs import CODES, flight

from flight_delay.api.access import Access
from flight_delay.api.drift import AT_A_TIME, Drift
from flight_delay.api.exposition import Exposition
from flight_delay.api.following import Follower
from flight_delay.api.live import Loaded, Network
from flight_delay.api.metrics import COMMIT_ROWS, LATENCY_S, WAITING, Metrics
from flight_delay.api.service import Service
from flight_delay.api.together import Counted, Place, added
from flight_delay.model import artifact
from flight_delay.model.inputs import learn
from flight_delay.model.network_state import NetworkState
from flight_delay.store.database import Lasting, database_at
from flight_delay.store.models import Live
from flight_delay.store.predictions import PredictionLog

NOW = dt.datetime(2026, 11, 25, 12, tzinfo=dt.UTC)
OPENMETRICS = "application/openmetrics-text; version=1.0.0"


@pytest.fixture
def place(tmp_path):
    """Take a place in a folder, as a process does."""
    taken = []

    def place():
        taken.append(Place(tmp_path / "counts"))
        return taken[-1]

    yield place
    for one in taken:
        one.close()


class Process:
    """A service without its server, in one process of its own or in one of several."""

    def __init__(self, folder, place=None):
        database = database_at(f"sqlite:///{folder}/flight_delay.sqlite3")
        database.migrate()
        access = Access(Lasting(database), "", required=False)
        self.service = Service(database, access, lambda: NOW)
        self.service.log = PredictionLog(database)
        self.service.follower = Follower(self.service.live, access, database, folder / "none.npz", lambda: NOW)
        self.metrics = self.service.metrics
        self.exposition = Exposition(self.service)
        self.exposition._place = place

    def told(self, accept=""):
        encode, _ = choose_encoder(accept)
        return encode(self.exposition).decode()

    def samples(self, accept="", read=text):
        return {
            (sample.name, *sorted(sample.labels.items())): sample.value
            for family in read(self.told(accept))
            for sample in family.samples
        }


@pytest.fixture
def process(tmp_path):
    """One process, within an event loop."""
    started = []

    async def within(act):
        started.append(Process(tmp_path))
        try:
            return act(started[0])
        finally:
            await asyncio.to_thread(started[0].service.log.close)

    return lambda act: asyncio.run(within(act))


def bucket(samples, name, le, **labels):
    return samples[(f"{name}_bucket", *sorted({"le": le, **labels}.items()))]


def test_a_request_is_counted_by_route_status_and_time(process):
    def act(process):
        for seconds in (0.00009, 0.0001, 0.00011, 11.0):
            process.metrics.answered("/model/predict/", 200, seconds)
        process.metrics.answered("other", 404, 0.001)
        return process.samples()

    samples, name = process(act), "flight_delay_http_request_duration_seconds"
    of = {"route": "/model/predict/", "status": "200"}
    assert [bucket(samples, name, le, **of) for le in ("0.0001", "0.00025", "10.0", "+Inf")] == [2, 3, 3, 4]
    assert samples[f"{name}_count", ("route", "/model/predict/"), ("status", "200")] == 4
    assert samples[f"{name}_sum", ("route", "/model/predict/"), ("status", "200")] == pytest.approx(11.0003)
    assert samples[f"{name}_count", ("route", "other"), ("status", "404")] == 1


def test_everything_is_counted_under_its_name(process):
    def act(process):
        process.metrics.predicted("departed")
        process.metrics.predicted("schedule", 41)
        process.metrics.refused("store_busy")
        process.metrics.committed(0.002, 64)
        process.metrics.batched(1000)
        process.metrics.told(3)
        process.metrics.scored()
        process.metrics.in_progress += 2
        return process.samples()

    samples = process(act)
    assert samples["flight_delay_predictions_total", ("horizon", "departed")] == 1
    assert samples["flight_delay_predictions_total", ("horizon", "schedule")] == 41
    assert samples["flight_delay_requests_refused_total", ("reason", "store_busy")] == 1
    assert bucket(samples, "flight_delay_commit_duration_seconds", "0.0025") == 1
    assert bucket(samples, "flight_delay_commit_duration_seconds", "0.001") == 0
    assert samples[("flight_delay_commit_rows_sum",)] == 64
    assert bucket(samples, "flight_delay_batch_rows", "1000.0") == 1
    assert samples[("flight_delay_outcomes_told_total",)] == 3
    assert samples[("flight_delay_shadow_scored_total",)] == 1
    assert samples[("flight_delay_http_requests_in_progress",)] == 2
    assert samples[("flight_delay_predictions_waiting",)] == 0
    assert samples[("flight_delay_predictions_waiting_limit",)] > 0
    assert samples[("flight_delay_database_away",)] == 0
    assert samples[("flight_delay_processes",)] == 1


def test_what_is_not_known_is_not_told(process):
    names = {name for name, *_ in process(lambda process: process.samples())}
    assert "flight_delay_model_generation" not in names
    assert "flight_delay_followed_timestamp_seconds" not in names
    assert "flight_delay_input_reference_share" not in names


@pytest.mark.skipif(sys.platform != "linux", reason="of /proc")
def test_the_system_tells_of_the_process(process):
    samples = process(lambda process: process.samples())
    assert samples[("process_resident_memory_bytes",)] > 10e6
    assert samples[("process_cpu_seconds_total",)] > 0
    assert abs(samples[("process_start_time_seconds",)] - time.time()) < 3600


def test_the_program_is_told(process):
    (facts,) = [labels for name, *labels in process(lambda process: process.samples()) if name.endswith("build_info")]
    assert dict(facts)["python"] == ".".join(map(str, sys.version_info[:3]))
    assert dict(facts)["kernel"] in {"compiled", "python"}


@pytest.mark.parametrize(
    ("accept", "read"), [("", text), ("text/plain;version=0.0.4", text), (OPENMETRICS, openmetrics)]
)
def test_both_formats_say_the_same(process, accept, read):
    def act(process):
        process.metrics.answered('a "route"\\\n', 200, 0.001)
        return process.samples(accept, read)

    samples = process(act)
    assert samples[
        "flight_delay_http_request_duration_seconds_count", ("route", 'a "route"\\\n'), ("status", "200")
    ] == (1)


def test_promtool_finds_nothing_wrong(process):
    def act(process):
        process.metrics.answered("/model/predict/", 200, 0.001)
        process.metrics.predicted("departed")
        process.service.live.current = loaded(learn([flight()], CODES))
        Drift(process.service.live, process.metrics, lambda: NOW).step()
        return process.told()

    promtool("check", "metrics", given=process(act).encode())


def loaded(inputs, version=1):
    lineage = {"learnt_until_min": 20.0} | ({} if inputs is None else {"inputs": inputs})
    model = artifact.Artifact(artifact.Manifest("0" * 64, lineage), CODES, [], {})
    return Loaded(Live(version + 1, version), model, Network(NetworkState(), 0))


class TestDrift:
    def noted(self, process, inputs, flights):
        process.service.live.current = loaded(inputs)
        drift = Drift(process.service.live, process.metrics, lambda: NOW)
        for one in flights:
            process.metrics.note(one)
        drift.step()
        return process.samples(), drift

    def test_flights_are_counted_by_the_bins_of_the_live_model(self, process):
        samples, _ = process(
            lambda process: self.noted(process, learn([flight()], CODES), [flight(), flight(carrier="XX")])
        )
        of = {"version": "1", "field": "carrier"}
        assert samples["flight_delay_inputs_total", ("bin", "DL"), *sorted(of.items())] == 1
        assert samples["flight_delay_inputs_total", ("bin", "unknown"), *sorted(of.items())] == 1
        assert samples["flight_delay_input_reference_share", ("bin", "DL"), *sorted(of.items())] == 1
        assert samples["flight_delay_input_reference_flights", ("version", "1")] == 1

    def test_each_bin_is_told_before_anything_falls_into_it(self, process):
        samples, _ = process(lambda process: self.noted(process, learn([flight()], CODES), []))
        shares = {sample[1:] for sample in samples if sample[0] == "flight_delay_input_reference_share"}
        counts = {sample[1:] for sample in samples if sample[0] == "flight_delay_inputs_total"}
        assert shares == counts

    def test_a_model_that_tells_no_bins_has_none(self, process):
        def act(process):
            samples, _ = self.noted(process, None, [flight()])
            return samples, len(process.metrics.flights)

        samples, waiting = process(act)
        assert not [name for name, *_ in samples if "input" in name]
        assert waiting == 0

    def test_another_model_counts_by_bins_of_its_own(self, process):
        def act(process):
            _, drift = self.noted(process, learn([flight()], CODES), [flight()])
            process.service.live.current = loaded(learn([flight(carrier="XX")], CODES), version=2)
            process.metrics.note(flight())
            drift.step()
            return process.samples()

        samples = process(act)
        of = ("field", "carrier")
        assert samples["flight_delay_inputs_total", ("bin", "DL"), of, ("version", "1")] == 1
        assert samples["flight_delay_inputs_total", ("bin", "unknown"), of, ("version", "2")] == 1
        assert ("flight_delay_input_reference_share", ("bin", "DL"), of, ("version", "1")) not in samples

    def test_only_so_many_are_looked_at_and_wait(self, process):
        def act(process):
            _, drift = self.noted(process, learn([flight()], CODES), [flight()] * (WAITING + 50))
            waiting = len(process.metrics.flights)
            drift.step()
            return waiting, len(process.metrics.flights)

        assert process(act) == (WAITING - AT_A_TIME, WAITING - 2 * AT_A_TIME)


class TestTogether:
    def counted(self, count, memory=1.0, live=(1, 1)):
        return Counted({"a_total": {("x",): [count]}, "b": {(): [count, 2.0]}}, {"memory": [memory]}, [live])

    def test_what_was_counted_comes_back_as_it_was(self):
        counted = self.counted(3.0)
        assert Counted.from_json(counted.to_json()) == counted

    def test_counts_are_added_and_gauges_stand_beside_each_other(self):
        whole = added([self.counted(3.0), self.counted(4.0, 5.0, (2, 2))])
        assert whole.counts == {"a_total": {("x",): [7.0]}, "b": {(): [7.0, 4.0]}}
        assert whole.gauges == {"memory": [1.0, 5.0]}
        assert whole.live == [(1, 1), (2, 2)]

    def test_counts_of_other_buckets_are_not_added(self):
        other = Counted({"b": {(): [1.0, 1.0, 1.0]}}, {}, [])
        assert added([self.counted(3.0), other]).counts["b"] == {(): [1.0, 1.0, 1.0]}

    def test_processes_find_each_other_s_counts(self, place):
        first, second = place(), place()
        first.keep(self.counted(3.0))
        second.keep(self.counted(4.0))
        assert first.all().counts == second.all().counts == added([self.counted(3.0), self.counted(4.0)]).counts

    def test_counts_outlive_a_process_and_its_gauges_do_not(self, place, tmp_path):
        own = place()
        own.keep(self.counted(1.0))
        die_after_keeping(tmp_path / "counts", 10.0)
        whole = own.all()
        assert whole.counts["a_total"] == {("x",): [11.0]}
        assert whole.gauges == {"memory": [1.0]}
        assert whole.live == [(1, 1)]

    def test_a_process_counts_on_where_another_died(self, place, tmp_path):
        own = place()
        own.keep(self.counted(1.0))
        for _ in range(5):
            die_after_keeping(tmp_path / "counts", 10.0)
        assert own.all().counts["a_total"] == {("x",): [51.0]}
        assert len(list((tmp_path / "counts").glob("*.json"))) == 2

    def test_a_process_that_is_asked_tells_of_all(self, place, tmp_path):
        async def act():
            processes = [Process(tmp_path, place()) for _ in range(2)]
            for number, process in enumerate(processes, 1):
                for _ in range(number):
                    process.metrics.predicted("departed")
            found = [process.samples() for process in processes * 2]
            for process in processes:
                await asyncio.to_thread(process.service.log.close)
            return found

        found = asyncio.run(act())
        # Each has told what it counted by the time that it was asked itself.
        assert [one["flight_delay_predictions_total", ("horizon", "departed")] for one in found] == [1, 3, 3, 3]
        assert [one[("flight_delay_processes",)] for one in found] == [1, 2, 2, 2]

    def test_a_folder_that_cannot_be_written_leaves_each_to_itself(self, tmp_path, caplog):
        (tmp_path / "file").touch()

        async def act():
            process = Process(tmp_path)
            await process.exposition.run(tmp_path / "file")
            samples = process.samples()
            await asyncio.to_thread(process.service.log.close)
            return samples

        assert asyncio.run(act())[("flight_delay_processes",)] == 1
        assert "do not count together" in caplog.text


def die_after_keeping(folder, count):
    """Another process keeps a count, and is killed."""
    code = (
        "import os, signal; from pathlib import Path; from flight_delay.api.together import Counted, Place;"
        f"place = Place(Path({str(folder)!r}));"
        f"place.keep(Counted({{'a_total': {{('x',): [{count}]}}}}, {{'memory': [9.0]}}, [(7, 7)]));"
        "os.kill(os.getpid(), signal.SIGKILL)"
    )
    subprocess.run([sys.executable, "-c", code], env={"PYTHONPATH": str(SOURCE)}, check=False)


@pytest.mark.parametrize(
    ("count", "most_ns"),
    [
        (lambda metrics: metrics.answered("/model/predict/", 200, 0.0013), 2000),
        (lambda metrics: metrics.predicted("departed"), 2000),
        (lambda metrics: metrics.note(None), 2000),
        (lambda metrics: metrics.committed(0.001, 12), 4000),
    ],
)
def test_counting_costs_next_to_nothing(count, most_ns):
    """Some 200 ns; the limit is one that a busy machine keeps too."""
    metrics, times = Metrics(), []
    for _ in range(20):
        begun = time.perf_counter_ns()
        for _ in range(1000):
            count(metrics)
        times.append((time.perf_counter_ns() - begun) / 1000)
    assert min(times) < most_ns


def test_bounds_ascend():
    assert list(LATENCY_S) == sorted(set(LATENCY_S))
    assert list(COMMIT_ROWS) == sorted(set(COMMIT_ROWS))
