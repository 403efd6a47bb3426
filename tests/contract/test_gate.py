"""What keeps a version from going live, on SQLite and on PostgreSQL alike."""

import datetime as dt
import json

import numpy as np
import pytest

from flight_delay.airports import Airport
from flight_delay.api import gate, versions
from flight_delay.api.models import Wish, promote, roll_back
from flight_delay.errors import BrokenArtifact, GateRefused, GateUnmeasured, NoSuchVersion
from flight_delay.model.artifact import Manifest
from flight_delay.model.point import Head, PointModel
from flight_delay.model.point.columns import Number
from flight_delay.store import models, outcomes
from flight_delay.store.database import opened

NOW = dt.datetime(2026, 11, 23, 12, tzinfo=dt.UTC)
FLIGHT = {
    "month": 11, "day": 20, "sched_dep_time": 1630, "origin": "JFK", "dest": "LAX", "carrier": "DL", "dep_delay": 10.0,
}  # fmt: skip
DATA = "d" * 64
ANA = Wish("ana", "better")
FORCED = Wish("ana", "we know better", force=True)


def artifact(answer, demands=(), lineage=None):
    """A model that answers as many minutes, whatever the flight."""
    columns = tuple(Number(name) for name in demands)
    weights = np.zeros(len(columns))
    head = Head(1.0, "identity", float(answer), np.arange(len(columns), dtype=np.int32), weights, None, single=False)
    airports = {"JFK": Airport(40.6, -73.8, "America/New_York")}
    return PointModel(Manifest("0" * 64, lineage or {}), airports, columns, (head,), tuple(demands), {}).to_bytes()


def score_of(mae, flights=5000, data_digest=DATA, **changes):
    """What a model says of its test."""
    score = {"horizon": "departed", "model": "model", "inputs": "all that is known", "flights": flights}
    return {"data_digest": data_digest, "scores": [score | {"mae": mae, "rmse": 2 * mae} | changes]}


@pytest.fixture
def keep(database):
    """Keep models in their order; the first becomes live."""

    def keep(*artifacts):
        with opened(database) as connection:
            numbers = [
                models.add(connection, models.Made(content, "0" * 64, "m.joblib", "a test", "{}"), NOW)
                for content in artifacts
            ]
            models.promote(connection, numbers[0], models.Change(models.PROMOTION, "a test", "first"), NOW)

    return keep


@pytest.fixture
def arrive(database):
    """Tell that flights arrived so late."""

    def arrive(delays, **fields):
        told = [outcomes.New(json.dumps(FLIGHT | fields | {"arr_delay": float(delay)}), None) for delay in delays]
        with opened(database) as connection:
            outcomes.add(connection, told, NOW)

    return arrive


def live(database):
    with opened(database) as connection:
        return models.live(connection).version


def go_live(database, wish=ANA, most_worse_pct=10.0, version=2):
    return promote(database, version, models.PROMOTION, wish, most_worse_pct, NOW).version


class TestOnFlightsThatArrived:
    """Half of the flights arrive 0 and half 20 minutes late: an answer of 10 is off by 10, of 30 by 20."""

    DELAYS = [0, 20] * 60

    @pytest.mark.parametrize("answer", [10, 30.5, 31.9])
    def test_one_that_is_as_good_or_less_than_ten_percent_worse_passes(self, database, keep, arrive, answer):
        keep(artifact(30), artifact(answer))
        arrive(self.DELAYS)
        assert go_live(database) == live(database) == 2

    def test_one_that_is_worse_by_more_does_not(self, database, keep, arrive):
        keep(artifact(30), artifact(32.5))
        arrive(self.DELAYS)
        with pytest.raises(GateRefused) as refused:
            go_live(database)
        assert refused.value.facts == {
            "version": 2, "live": 1, "mae": 22.5, "live_mae": 20.0, "flights": 120, "most_worse_pct": 10.0,
        }  # fmt: skip
        assert live(database) == 1

    def test_not_worse_at_all(self, database, keep, arrive):
        keep(artifact(30), artifact(30.1), artifact(29))
        arrive(self.DELAYS)
        with pytest.raises(GateRefused):
            go_live(database, most_worse_pct=0.0)
        assert go_live(database, most_worse_pct=0.0, version=3) == 3

    def test_only_flights_to_which_both_have_an_answer_count(self, database, keep, arrive):
        keep(artifact(10), artifact(30, demands=["sched_arr_time"]))
        arrive(self.DELAYS)
        with pytest.raises(GateUnmeasured):
            go_live(database)
        arrive([30] * 100, sched_arr_time=1930)
        assert go_live(database) == 2

    def test_the_newest_flights_count(self, database, keep, arrive):
        keep(artifact(10), artifact(30))
        arrive([10] * 200)
        arrive([30] * gate.MOST_FLIGHTS)
        assert go_live(database) == 2

    def test_what_this_version_of_the_service_would_not_take_does_not_count(self, database, keep, arrive):
        keep(artifact(10), artifact(30))
        arrive([30] * 100, month=13)
        with pytest.raises(GateUnmeasured):
            go_live(database)

    def test_a_model_trained_here_beside_one_of_anothers_making(self, database, keep, arrive, trained):
        keep(trained.artifact.read_bytes(), artifact(1000))
        arrive([5] * 100)
        with pytest.raises(GateRefused) as refused:
            go_live(database)
        assert refused.value.facts["mae"] == 995.0
        assert 0 < refused.value.facts["live_mae"] < 20


class TestByTheirOwnTests:
    def test_too_few_flights_and_no_test(self, database, keep, arrive):
        keep(artifact(10), artifact(11))
        arrive([10] * (gate.FEWEST_FLIGHTS - 1))
        with pytest.raises(GateUnmeasured) as refused:
            go_live(database)
        assert refused.value.facts == {"version": 2, "live": 1, "flights": 99, "needed": 100}
        assert live(database) == 1

    def test_tests_on_the_same_flights_decide(self, database, keep):
        keep(
            artifact(1, lineage=score_of(10.0)),
            artifact(2, lineage=score_of(10.9)),
            artifact(3, lineage=score_of(11.1)),
        )
        assert go_live(database) == 2
        go_live(database, version=1)
        with pytest.raises(GateRefused) as refused:
            go_live(database, version=3)
        facts = refused.value.facts
        assert (facts["mae"], facts["live_mae"], facts["flights"]) == (11.1, 10.0, 5000)

    def test_flights_that_arrived_count_more_than_tests(self, database, keep, arrive):
        keep(artifact(10, lineage=score_of(10.0)), artifact(30, lineage=score_of(1.0)))
        arrive([10] * 100)
        with pytest.raises(GateRefused):
            go_live(database)

    @pytest.mark.parametrize(
        "lineage",
        [
            score_of(1.0, data_digest="e" * 64),
            score_of(1.0, flights=4999),
            score_of(1.0, horizon="schedule"),
            score_of(1.0, inputs="without weather"),
            score_of(1.0, model="constant median"),
            score_of("good"),
            score_of(1.0) | {"data_digest": None},
            {"scores": "good"},
            ["good"],
        ],
    )
    def test_other_tests_say_nothing(self, database, keep, lineage):
        keep(artifact(1, lineage=score_of(10.0)), artifact(2, lineage=lineage))
        with pytest.raises(GateUnmeasured):
            go_live(database)


class TestOverruled:
    def test_with_force_it_goes_live_and_the_record_says_so(self, database, keep, arrive):
        keep(artifact(30), artifact(32.5))
        arrive([0, 20] * 60)
        assert go_live(database, FORCED) == 2
        with opened(database) as connection:
            newest = versions.all_deployments(connection).deployments[-1]
        assert (newest.version, newest.from_version, newest.by, newest.reason) == (2, 1, "ana", "we know better")
        assert newest.overruled.startswith("gate_refused:")
        assert "mae=22.5" in newest.overruled

    def test_where_nothing_compares_them(self, database, keep):
        keep(artifact(30), artifact(32.5))
        go_live(database, FORCED)
        with opened(database) as connection:
            assert models.deployments(connection)[-1].overruled.startswith("gate_unmeasured:")

    def test_the_record_says_nothing_where_there_was_nothing_to_overrule(self, database, keep, arrive):
        keep(artifact(30), artifact(10))
        arrive([0, 20] * 60)
        go_live(database, FORCED)
        with opened(database) as connection:
            assert models.deployments(connection)[-1].overruled is None

    @pytest.mark.parametrize(("version", "error"), [(2, BrokenArtifact), (99, NoSuchVersion)])
    def test_force_does_not_make_a_model_of_what_is_none(self, database, keep, version, error):
        keep(artifact(30), b"broken")
        with pytest.raises(error):
            go_live(database, FORCED, version=version)
        assert live(database) == 1


class TestWithoutBeingAsked:
    def test_there_is_no_gate_by_default(self, database, keep, arrive):
        keep(artifact(10), artifact(1000))
        arrive([10] * 100)
        assert go_live(database, most_worse_pct=None) == 2

    def test_the_first_version_passes(self, database):
        with opened(database) as connection:
            models.add(connection, models.Made(artifact(1), "0" * 64, "m.joblib", "a test", "{}"), NOW)
        assert go_live(database, version=1) == 1

    def test_the_live_one_passes_again(self, database, keep):
        keep(artifact(10))
        assert go_live(database, version=1) == 1

    def test_anything_is_no_worse_than_a_live_one_that_cannot_be_read(self, database, keep, arrive):
        keep(b"broken", artifact(1000))
        arrive([10] * 100)
        assert go_live(database) == 2

    def test_one_that_cannot_be_read_never_goes_live(self, database, keep):
        keep(artifact(10), b"broken")
        with pytest.raises(BrokenArtifact):
            go_live(database, most_worse_pct=None)
        assert live(database) == 1

    def test_rolling_back_is_not_kept_by_it_and_passes_over_what_cannot_be_read(self, database, keep):
        keep(artifact(10), b"broken", artifact(30))
        with opened(database) as connection:
            for version in (2, 3):
                models.promote(connection, version, models.Change(models.PROMOTION, "a test", "next"), NOW)
        assert roll_back(database, ANA, NOW).version == live(database) == 1
