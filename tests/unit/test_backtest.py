"""Month after month: what each model may learn from, and what it is tested on."""

import dataclasses

import numpy as np
import pytest

from flight_delay.errors import TooFewMonths
from flight_delay.model import backtest
from flight_delay.model.backtest import Progress
from flight_delay.model.features import FEATURES, Codes
from flight_delay.model.matrix import COLUMN

SILENT = Progress(lambda _: None, lambda: None)


def some(dataset, rows):
    """Return a data set of some of its flights."""
    numbers = np.flatnonzero(rows)
    lists = {
        name: [getattr(dataset, name)[number] for number in numbers] for name in ("flights", "weather_before", "legs")
    }
    return dataclasses.replace(dataset, **lists, arr_delay=dataset.arr_delay[rows], dates=dataset.dates[rows])


@pytest.fixture(scope="module")
def few(dataset):
    """Every fiftieth flight of five months."""
    return some(dataset, (dataset.dates < np.datetime64("2013-06-01")) & (np.arange(len(dataset.dates)) % 50 == 0))


@pytest.fixture(scope="module", autouse=True)
def quick():
    """Specialists of few trees: what is tested here is who learns from what."""
    from flight_delay.model import specialist

    with pytest.MonkeyPatch.context() as patch:
        recipes = {
            name: recipe._replace(location_trees=4, scale_trees=2) for name, recipe in specialist.RECIPES.items()
        }
        patch.setattr(specialist, "RECIPES", recipes)
        patch.setattr(specialist, "CANCELLED_TREES", 2)
        patch.setitem(specialist.PARAMETERS, "min_data_in_leaf", 20)
        yield


@pytest.fixture(scope="module")
def found(few, tmp_path_factory):
    return backtest.run(few, tmp_path_factory.mktemp("nowhere"), SILENT)


def test_each_month_from_the_fourth_on_is_tested(found, few):
    assert list(found.months) == ["2013-04", "2013-05"]
    for month, scores in found.months.items():
        arrived = few.arrived & (few.dates.astype("datetime64[M]") == np.datetime64(month))
        assert {score.flights for score in scores} == {arrived.sum()}
        assert {score.horizon for score in scores} == {"departed", "pre_departure", "schedule"}


def test_all_months_together_are_all_flights(found):
    for pooled, april, may in zip(found.pooled, *found.months.values(), strict=True):
        assert (pooled.horizon, pooled.model, pooled.inputs) == (april.horizon, april.model, april.inputs)
        assert pooled.flights == april.flights + may.flights
        square = (april.rmse**2 * april.flights + may.rmse**2 * may.flights) / pooled.flights
        assert pooled.rmse == pytest.approx(square**0.5)


def test_no_month_learns_from_what_came_after(found, few, tmp_path):
    """Other delays in May change what is said of May, and nothing of April."""
    later = few.dates >= np.datetime64("2013-05-01")
    legs = [
        leg._replace(dep=leg.dep + 300, arr=leg.arr + 300) if is_later else leg
        for leg, is_later in zip(few.legs, later, strict=True)
    ]
    other = dataclasses.replace(few, legs=legs, arr_delay=np.where(later, few.arr_delay + 300, few.arr_delay))
    changed = backtest.run(other, tmp_path, SILENT)
    assert changed.months["2013-04"] == found.months["2013-04"]
    assert changed.months["2013-05"] != found.months["2013-05"]


def test_the_spread_over_the_months(found):
    rmse = [scores[0].rmse for scores in found.months.values()]
    (of_model,) = (
        one for one in found.ranges if one.measure == "rmse" and one[:3] == ("departed", "model", "all that is known")
    )
    assert (of_model.least, of_model.most) == (min(rmse), max(rmse))
    assert of_model.mean == pytest.approx(sum(rmse) / 2)
    assert of_model.standard_deviation == pytest.approx(abs(rmse[0] - rmse[1]) / 2)


def test_what_json_holds_is_read_again(found):
    assert backtest.from_json(backtest.as_json(found)) == found


def test_the_exhibit_measures_both_on_the_same_flights(found):
    assert [one.horizon for one in found.leakage] == ["departed", "schedule"]
    for one in found.leakage:
        assert one.flights > 0
        assert one.rmse_temporal > 0
        assert one.rmse_random > 0


def test_three_months_are_too_few(few, tmp_path):
    with pytest.raises(TooFewMonths) as caught:
        backtest.run(some(few, few.dates < np.datetime64("2013-04-01")), tmp_path, SILENT)
    assert caught.value.facts["months"] == 3
    assert caught.value.facts["needed"] == 4


def test_before_and_in_a_month():
    dates = np.array(["2013-01-31", "2013-02-01", "2013-02-28", "2013-03-01"], "datetime64[D]")
    split = backtest.before_and_in(np.datetime64("2013-02"), dates)
    assert split.train.tolist() == [True, False, False, False]
    assert split.test.tolist() == [False, True, True, False]
    assert not split.calibrate.any()


def test_codes_that_were_not_met_are_missing():
    whole = Codes({}, {"AA": 0, "DL": 1}, {"EWR": 0, "JFK": 1}, {"LAX": 0}, ())
    known = Codes({}, {"DL": 0}, {"EWR": 0, "JFK": 1}, {}, ())
    rows = np.zeros((2, len(FEATURES)))
    rows[1, [COLUMN["carrier"], COLUMN["origin"]]] = 1
    said = backtest.renumbered(rows, whole, known)
    assert np.isnan(said[0, COLUMN["carrier"]])
    assert said[1, COLUMN["carrier"]] == 0
    assert said[:, COLUMN["origin"]].tolist() == [0, 1]
    assert np.isnan(said[:, COLUMN["dest"]]).all()
    assert (rows[:, COLUMN["dest"]] == 0).all()
