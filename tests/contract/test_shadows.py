"""What holds of a shadow on SQLite and on PostgreSQL alike: which version it is, and how it compares."""

import datetime as dt
import json
import math

import pytest

from flight_delay.api.versions import comparison
from flight_delay.errors import NoSuchVersion
from flight_delay.store import models, outcomes, retention, shadows
from flight_delay.store.database import opened, transaction
from flight_delay.store.rows import Prediction, insert
from flight_delay.store.shadows import Errors, Scored, Shadow

NOW = dt.datetime(2026, 11, 23, 12, tzinfo=dt.UTC)
LATER = NOW + dt.timedelta(hours=1)


@pytest.fixture
def connection(database):
    """Three versions, the first of them live, and four predictions of it: 10, 20, 30 and 40 minutes."""
    with opened(database) as connection:
        for name in ("a", "b", "c"):
            models.add(connection, models.Made(name.encode(), name * 64, "model.joblib", "a test", "{}"), NOW)
        models.promote(connection, 1, models.Change(models.PROMOTION, "a test", "first"), NOW)
        with transaction(connection):
            insert(
                connection,
                [Prediction(NOW.isoformat(), "request", 1, 1, "{}", minutes) for minutes in (10.0, 20.0, 30.0, 40.0)],
            )
        yield connection


def tell(connection, prediction_id, **outcome):
    outcomes.add(connection, [outcomes.New(json.dumps(outcome), prediction_id)], NOW)


class TestWhich:
    def test_there_is_none_at_first(self, connection):
        assert shadows.current(connection) is None

    def test_the_one_that_was_set_last(self, connection):
        shadows.set_shadow(connection, 2, "ana", NOW)
        shadows.set_shadow(connection, 3, "bia", LATER)
        assert shadows.current(connection) == Shadow(3, LATER.isoformat(), "bia")

    def test_none_again(self, connection):
        shadows.set_shadow(connection, 2, "ana", NOW)
        shadows.set_shadow(connection, None, "ana", LATER)
        assert shadows.current(connection) is None

    def test_only_a_version_that_is_there(self, connection):
        models.delete(connection, 3, "ana", NOW)
        shadows.set_shadow(connection, 2, "ana", NOW)
        for version in (3, 99):
            with pytest.raises(NoSuchVersion):
                shadows.set_shadow(connection, version, "ana", LATER)
        assert shadows.current(connection).version == 2

    def test_a_version_that_is_deleted_is_scored_no_more(self, connection):
        shadows.set_shadow(connection, 2, "ana", NOW)
        models.delete(connection, 2, "ana", LATER)
        assert shadows.current(connection) is None


class TestComparing:
    def test_nothing_was_scored(self, connection):
        assert shadows.comparison(connection, 2) == shadows.Comparison(0, None, None, 0, None, None)

    def test_by_what_was_answered_instead(self, connection):
        shadows.keep(connection, [Scored(1, 2, 13.0), Scored(2, 2, 19.0), Scored(3, 3, 99.0)])
        assert shadows.comparison(connection, 2) == shadows.Comparison(2, 1.0, 2.0, 0, None, None)

    def test_by_what_became_of_the_flights(self, connection):
        """Live is off by 3 and -4, the shadow by 0 and -12; the third is scored and has not arrived."""
        shadows.keep(connection, [Scored(1, 2, 7.0), Scored(2, 2, 12.0), Scored(3, 2, 30.0)])
        tell(connection, 1, arr_delay=7.0)
        tell(connection, 2, arr_delay=24.0)
        tell(connection, 3, dep_delay=5.0)
        tell(connection, 4, arr_delay=40.0)
        tell(connection, None, arr_delay=1000.0)
        found = shadows.comparison(connection, 2)
        assert (found.scored, found.arrived) == (3, 2)
        assert found.live == pytest.approx(Errors(3.5, math.sqrt(12.5)))
        assert found.shadow == pytest.approx(Errors(6.0, math.sqrt(72.0)))

    def test_the_newest_outcome_of_a_prediction_counts(self, connection):
        shadows.keep(connection, [Scored(1, 2, 12.0)])
        tell(connection, 1, arr_delay=1000.0)
        tell(connection, 1, arr_delay=11.0)
        tell(connection, 1, dep_delay=5.0)
        found = shadows.comparison(connection, 2)
        assert (found.arrived, found.live, found.shadow) == (1, Errors(1.0, 1.0), Errors(1.0, 1.0))

    def test_a_flight_that_was_cancelled_has_no_error(self, connection):
        shadows.keep(connection, [Scored(1, 2, 12.0)])
        tell(connection, 1, cancelled=True)
        assert shadows.comparison(connection, 2).arrived == 0

    def test_a_prediction_that_was_deleted_is_compared_no_more(self, database, connection):
        shadows.keep(connection, [Scored(1, 2, 13.0), Scored(2, 2, 19.0)])
        assert sum(retention.delete(database, retention.Chosen((1,), None), "ana", NOW)) == 1
        assert shadows.comparison(connection, 2).scored == 1

    def test_a_version_that_was_deleted_still_has_its_comparison(self, connection):
        shadows.set_shadow(connection, 2, "ana", NOW)
        shadows.keep(connection, [Scored(1, 2, 13.0)])
        assert comparison(connection).since == NOW
        models.delete(connection, 2, "ana", LATER)
        assert comparison(connection) is None
        assert (comparison(connection, 2).scored, comparison(connection, 2).since) == (1, None)
        with pytest.raises(NoSuchVersion):
            comparison(connection, 99)
