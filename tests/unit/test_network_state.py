"""The state of the network: decayed means, what waits, where an aircraft is."""

import math
import random
from math import nan

import numpy as np
import pytest

from flight_delay.model.means import INBOUND, MEANS, Event, Key, Leg, Mean, Measure, keys_of
from flight_delay.model.network_state import Habit, NetworkState
from flight_delay.model.replay import History

T = 22_000_000.0  # minutes since 1970: some day in 2011


def leg(number=1, sched_dep=T, dep=nan, arr=nan, **changes):
    of = {"carrier": "DL", "tailnum": f"N{number}", "origin": "JFK", "dest": "LAX", "region": "6/3"} | changes
    return Leg(
        flight=number, distance_km=3974.0, sched_dep=sched_dep, sched_arr=sched_dep + 360.0, dep=dep, arr=arr, **of
    )  # fmt: skip


def mean(state, name, of=None, at=T):
    return state.recall(of or leg(99), at).means[[mean.name for mean in MEANS].index(name)]


def test_a_mean_is_decayed_by_the_age_of_its_values():
    state = NetworkState()
    state.tell(leg(1, T - 120, dep=T - 120 + 10))
    state.tell(leg(2, T - 70, dep=T - 70 + 40))
    fresh, old = 0.5 ** (30 / 60), 0.5 ** (110 / 60)
    assert mean(state, "delay_origin_60min") == pytest.approx((40 * fresh + 10 * old) / (fresh + old))


@pytest.mark.parametrize(
    ("other", "known"),
    [({}, True), ({"origin": "EWR"}, False), ({"dest": "SFO"}, True), ({"carrier": "UA"}, True)],
    ids=str,
)
def test_a_mean_is_of_those_that_share_its_key(other, known):
    state = NetworkState()
    state.tell(leg(1, T - 60, dep=T - 50))
    assert (mean(state, "delay_origin_60min", leg(99, **other)) == pytest.approx(10.0)) is known


def test_what_was_told_twice_counts_once():
    once, twice = NetworkState(), NetworkState()
    for state, times in ((once, 1), (twice, 3)):
        for _ in range(times):
            state.tell(leg(1, T - 60, dep=T - 50))
        state.tell(leg(2, T - 55, dep=T - 30))
    assert twice.recall(leg(99), T) == once.recall(leg(99), T)


def test_the_order_in_which_it_is_told_does_not_matter():
    """But for `later`, which is measured from what was usual when it was told."""
    legs = [leg(n, T - 400 + n * 7, dep=T - 400 + n * 9, arr=T - 30 + n * 9) for n in range(1, 30)]
    straight, shuffled = NetworkState(), NetworkState()
    for one in legs:
        straight.tell(one)
    for one in random.Random(1).sample(legs, len(legs)):
        shuffled.tell(one)
    ours, theirs = (state.recall(leg(99), T + 240).means for state in (straight, shuffled))
    for kept, a, b in zip(MEANS, ours, theirs, strict=True):
        if kept.measure is not Measure.LATER:
            assert a == pytest.approx(b, rel=1e-9, nan_ok=True), kept.name


def test_those_that_wait_are_counted_until_they_leave():
    state = NetworkState()
    for number in range(5):
        state.tell(leg(number, T - 60 + number))
    state.tell(leg(50, T - 200, dep=T - 190))
    assert mean(state, "waiting_origin_60min", at=T) == pytest.approx(
        sum(0.5 ** ((60 - number) / 60) for number in range(5))
    )
    for number in range(5):
        state.tell(leg(number, T - 60 + number, dep=T - 10))
    assert mean(state, "waiting_origin_60min", at=T) == pytest.approx(0.0, abs=1e-12)


def test_a_question_about_later_does_not_change_what_is_answered_now():
    asked, unasked = NetworkState(), NetworkState()
    for state in (asked, unasked):
        for number in range(5):
            state.tell(leg(number, T + 10 * number))
    asked.recall(leg(99, T + 300), T + 300)
    for state in (asked, unasked):
        for number in range(5):
            state.tell(leg(number, T + 10 * number, dep=T + 10 * number + 3))
    at = T + 60
    assert asked.recall(leg(99), at).means == pytest.approx(unasked.recall(leg(99), at).means, nan_ok=True, abs=1e-12)


class TestWhereTheAircraftIs:
    def inbound(self, **told):
        state = NetworkState()
        state.tell(leg(7, T - 60, dep=T - 55))  # so that the origin is heard of
        state.tell(leg(1, T - 500, origin="LAX", dest="JFK", tailnum="N9", **told))
        return dict(zip(INBOUND, state.recall(leg(99, T + 120, tailnum="N9"), T).inbound, strict=True))

    def test_not_left(self):
        found = self.inbound()
        assert found["phase"] == 0
        assert found["overdue"] == 500
        assert math.isnan(found["dep_delay"])
        assert found["gap"] == 620

    def test_in_the_air(self):
        found = self.inbound(dep=T - 400)
        assert found["phase"] == 1
        assert (found["dep_delay"], found["overdue"]) == (100, 0)
        assert found["slack"] == T + 120 - (T - 500 + 360 + 100)

    def test_arrived(self):
        found = self.inbound(dep=T - 400, arr=T - 30)
        assert found["phase"] == 2
        assert found["arr_delay"] == T - 30 - (T - 500 + 360)
        assert found["slack"] == 150

    def test_another_aircraft_or_none_is_nothing(self):
        state = NetworkState()
        state.tell(leg(7, T - 60, dep=T - 55))
        for tailnum in ("N8", None):
            assert all(map(math.isnan, state.recall(leg(99, T, tailnum=tailnum), T).inbound))


class TestFreshness:
    def test_nothing_told_is_nothing_known(self):
        recalled = NetworkState().recall(leg(), T)
        assert not recalled.fresh
        assert all(map(math.isnan, recalled.means + recalled.inbound))

    @pytest.mark.parametrize(("hours", "fresh"), [(1, True), (11.9, True), (12.1, False), (48, False)])
    def test_it_ends_twelve_hours_after_the_last_departure(self, hours, fresh):
        state = NetworkState()
        state.tell(leg(1, T, dep=T))
        assert state.recall(leg(99), T + hours * 60).fresh is fresh

    def test_habits_are_known_without_it(self):
        number = MEANS.index(Mean(Measure.BLOCK, Key.ROUTE, 14 * 1440.0))
        state = NetworkState([Habit(number, ("JFK", "LAX"), 351.0, 20.0, T - 90_000)])
        recalled = state.recall(leg(), nan)
        assert recalled.means[number] == 351.0
        assert not recalled.fresh


def test_legs_are_forgotten_and_their_means_stay(monkeypatch):
    monkeypatch.setattr("flight_delay.model.network_state._LEGS_KEPT", 100)
    state = NetworkState()
    for number in range(1000):
        state.tell(leg(number, T + number, dep=T + number + 5.0, tailnum=f"N{number % 7}"))
    assert len(state._legs) <= 100
    assert mean(state, "delay_origin_60min", at=T + 1005) == pytest.approx(5.0)


def test_keys_are_in_their_order():
    assert len(keys_of(leg())) == len(Key)
    assert keys_of(leg())[Key.CARRIER_ORIGIN] == ("DL", "JFK")


def test_history_asks_before_the_events_of_a_minute():
    """What happens at the very minute of the cut-off is not known."""
    legs = [leg(1, T - 60, dep=T - 30), leg(2, T - 50, dep=T)]
    at = np.array([T, T + 1])
    (played,) = History(legs).play([leg(98), leg(99)], at)
    number = [mean.name for mean in MEANS].index("delay_origin_60min")
    assert played.means[0, number] == pytest.approx(30.0)
    assert played.means[1, number] > 30.0


def test_habits_go_on_where_they_were_left():
    """A history in two halves, the second begun with the habits of the first, ends as the whole."""
    legs = [leg(n % 5, T + n * 1440.0, dep=T + n * 1440.0 + n, arr=T + n * 1440.0 + 360 + 2 * n) for n in range(40)]
    end = T + 50 * 1440.0
    half = History(legs[:20]).habits(T + 20 * 1440.0)
    ours = {(habit.number, habit.value): habit for habit in History(legs[20:], half).habits(end)}
    whole = {(habit.number, habit.value): habit for habit in History(legs).habits(end)}
    assert ours.keys() == whole.keys()
    for key, habit in whole.items():
        if MEANS[habit.number].measure is not Measure.LATER:
            assert ours[key].mean == pytest.approx(habit.mean)


def test_means_are_kept_on_events_that_bring_their_value():
    assert {mean.event for mean in MEANS if mean.measure is Measure.DELAY} == {Event.DEPARTED}
    assert len({mean.name for mean in MEANS}) == len(MEANS)
