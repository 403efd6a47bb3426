"""How answers are measured: on flights whose figures can be worked out by hand."""

import math
import re
from dataclasses import replace

import numpy as np
import pytest

from flight_delay.messages import LANGUAGES, text
from flight_delay.model import backtest as backtests
from flight_delay.model import card, evaluate, measures, report
from flight_delay.model.backtest import Backtest, Range
from flight_delay.model.baselines import Leakage
from flight_delay.model.distribution import Probabilities
from flight_delay.model.measures import Bin, Distribution, Gain, Said, Score, Way

NAN = math.nan
WAY = Way("departed", "model", "all that is known")


def said(minutes, late_15=None, quantiles=None, cancelled=None):
    """What is said of flights: each chance of being late is one of being 15 and 30 minutes late."""
    minutes = np.array(minutes, float)
    late = np.array(late_15 if late_15 is not None else [0.5] * len(minutes))
    gone = np.array(cancelled if cancelled is not None else [0.0] * len(minutes))
    zero = np.zeros(len(minutes))
    chances = Probabilities(1 - late, late, late, (1 - gone) * (1 - late), (1 - gone) * late, zero, gone, gone)
    around = minutes[:, None] + np.array([-20.0, -10.0, 0.0, 10.0, 20.0])
    return Said(minutes, Distribution(chances, around if quantiles is None else np.array(quantiles, float)))


class TestAScore:
    def test_the_minutes(self):
        found = measures.score(WAY, Said(np.array([10.0, 20.0, 0.0])), np.array([7.0, 24.0, 0.0]))
        assert found.rmse == pytest.approx(math.sqrt((9 + 16) / 3))
        assert found.mae == pytest.approx(7 / 3)
        assert found.bias == pytest.approx(-1 / 3)
        assert found.flights == 3

    def test_who_gives_no_chance_is_judged_by_the_order_of_the_minutes(self):
        found = measures.score(WAY, Said(np.array([1.0, 2.0, 3.0, 4.0])), np.array([0.0, 15.0, 0.0, 99.0]))
        assert found.auc_15 == 0.75
        assert found.auc_30 == 1.0
        assert (found.brier_15, found.calibration_error_15, found.coverage_80, found.bucket_log_loss) == (None,) * 4

    def test_none_late_is_no_order_to_judge(self):
        found = measures.score(WAY, Said(np.array([1.0, 2.0])), np.array([0.0, 14.0]))
        assert (found.auc_15, found.auc_30) == (None, None)

    def test_a_flight_that_did_not_arrive_counts_for_the_buckets_only(self):
        two = measures.score(WAY, said([0, 40], [0.1, 0.9]), np.array([5.0, 40.0]))
        three = measures.score(
            WAY, said([0, 40, 500], [0.1, 0.9, 0.5], cancelled=[0, 0, 0.5]), np.array([5.0, 40.0, NAN])
        )
        assert (three.flights, three.rmse, three.brier_15, three.coverage_80) == (
            2,
            two.rmse,
            two.brier_15,
            two.coverage_80,
        )
        assert three.bucket_log_loss == pytest.approx(-(2 * math.log(0.9) + math.log(0.5)) / 3)
        assert (two.cancelled_auc, three.cancelled_auc) == (None, 1.0)

    def test_who_was_not_asked_is_not_judged(self):
        """A flight that never left has no departure delay, so nothing was said of it after departure."""
        asked = measures.score(WAY, said([0, 40], [0.1, 0.9]), np.array([5.0, 40.0]))
        assert measures.score(WAY, said([0, 40, NAN], [0.1, 0.9, 0.5]), np.array([5.0, 40.0, NAN])) == asked

    def test_an_interval_holds_its_ends(self):
        found = measures.score(WAY, said([0] * 5), np.array([-10.0, 10.0, 10.1, -20.0, -20.1]))
        assert (found.coverage_80, found.coverage_90) == (0.4, 0.8)
        assert found.width_80 == 20.0

    def test_pinball(self):
        assert measures.pinball(np.array([10.0]), np.array([20.0]), 0.9) == pytest.approx(9.0)
        assert measures.pinball(np.array([20.0]), np.array([10.0]), 0.9) == pytest.approx(1.0)


def test_the_buckets_are_those_of_the_answer():
    delays = np.array([-30.0, 29.0, 30.0, 59.0, 60.0, 120.0, 121.0, NAN])
    assert measures.bucket_of(delays).tolist() == [0, 0, 1, 1, 2, 2, 3, 3]


def test_reliability_puts_what_was_said_beside_what_happened():
    chance = np.array([0.0, 0.04, 0.5, 0.97, 1.0])
    happened = np.array([False, True, True, True, True])
    assert evaluate.reliability(chance, happened) == [(2, 0.02, 0.5), (1, 0.5, 1.0), (2, 0.985, 1.0)]


def test_calibration_error():
    chance = np.array([0.05, 0.05, 0.95, 0.95])
    assert evaluate.calibration_error(chance, np.array([False, False, True, True])) == pytest.approx(0.05)
    assert evaluate.calibration_error(np.array([1.0]), np.array([False])) == 1.0


def test_gains():
    """Both late flights are among the half with the highest chances."""
    chance = np.linspace(1.0, 0.0, 20)
    late = np.arange(20) < 10
    late[9] = False
    late[1] = False
    caught = {round(gain.flights, 2): gain.late for gain in measures.gains(chance, late)}
    assert (caught[0.0], caught[0.05], caught[0.5], caught[1.0]) == (0.0, 1 / 8, 1.0, 1.0)


def test_parts_together_are_the_whole():
    whole = said([0, 40, 3, 9], [0.1, 0.9, 0.4, 0.2])
    first = np.array([True, True, False, False])
    again = Said.together([whole.of(first), whole.of(~first)])
    truth = np.array([5.0, 40.0, 0.0, 20.0])
    assert measures.score(WAY, again, truth) == measures.score(WAY, whole, truth)
    minutes = Said.together([Said(np.array([1.0])), Said(np.array([2.0]))])
    assert (minutes.minutes.tolist(), minutes.distribution) == ([1.0, 2.0], None)


@pytest.fixture(scope="module")
def metrics():
    random = np.random.default_rng(7)
    truth = np.round(random.normal(10, 25, 400))
    truth[::20] = NAN
    guess = np.where(np.isnan(truth), 0, truth) + random.normal(0, 10, 400)
    chance = 1 / (1 + np.exp((15 - guess) / 10))
    one = said(guess, chance, cancelled=np.full(400, 0.05))
    steps = [("departed", "all that is known"), ("departed", "without network state")]
    steps += [("pre_departure", "all that is known"), ("schedule", "all that is known")]
    ways = [(Way(horizon, "model", inputs), one) for horizon, inputs in steps]
    arrived = ~np.isnan(truth)
    late = truth[arrived] >= 15
    bins = measures.reliability(chance[arrived], late)
    return evaluate.Metrics(
        source="somewhere",
        data_digest="0123456789abcdef0123",
        code_version="1.2.3",
        periods=evaluate.Periods(
            evaluate.Span("2013-01-01", "2013-09-30"),
            evaluate.Span("", ""),
            evaluate.Span("2013-10-01", "2013-10-31"),
        ),
        counts=evaluate.Counts(1000, 0, 400),
        late_share=float(late.mean()),
        cancelled_share=0.05,
        scores=evaluate.scores([*ways, (Way("departed", "constant median", "nothing"), Said(np.zeros(400)))], truth),
        slices=[
            measures.score_slice(horizon, by, value, one.of(arrived), truth[arrived])
            for horizon in ("departed", "schedule")
            for by, value in (("month", "2013-10"), ("origin", "JFK"), ("carrier", "DL"), ("hours", "06–08"))
        ],
        gains={"departed": measures.gains(chance[arrived], late)},
        reliability_15={"departed": bins},
        reliability_30={"departed": bins},
    )


def test_what_json_holds_is_read_again(metrics):
    again = evaluate.from_json(evaluate.as_json(metrics))
    assert again == metrics
    assert evaluate.as_json(again) == evaluate.as_json(metrics)
    assert isinstance(again.scores[0], Score)
    assert isinstance(again.reliability_15["departed"][0], Bin)
    assert isinstance(again.gains["departed"][0], Gain)


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"scores": []}'])
def test_other_json_is_refused(content):
    with pytest.raises((ValueError, KeyError, TypeError)):
        evaluate.from_json(content)


def test_the_card_says_on_what_and_how_good(metrics):
    written = card.render(metrics, "model.joblib")
    for expected in ("2013-01-01 – 2013-09-30", "0123456789abcdef", "1.2.3", "1,000 flights", "calibrated on –"):
        assert expected in written
    for score in metrics.scores:
        assert f"{score.rmse:.2f}" in written
    assert f"{metrics.scores[0].coverage_80:.1%}" in written


@pytest.fixture(scope="module")
def backtest(metrics):
    return Backtest(
        source=metrics.source,
        data_digest=metrics.data_digest,
        code_version=metrics.code_version,
        months={"2013-04": metrics.scores, "2013-05": metrics.scores},
        pooled=metrics.scores,
        ranges=[Range("departed", "model", "all that is known", "rmse", 1.25, 0.5, 0.75, 1.75)],
        leakage=[Leakage("departed", 400, 15.25, 14.125)],
    )


@pytest.fixture(scope="module")
def page(metrics, backtest):
    return report.render(metrics, backtest)


class TestThePage:
    def test_it_says_everything_in_both_languages(self, metrics, page):
        for language in LANGUAGES:
            for name in ("scores", "horizons", "reliability", "intervals", "gains", "slices", "backtest", "leakage"):
                assert f'id="{language}-{name}"' in page
                assert text(f"evaluation_{name}", language) in page
        assert f"<td>{metrics.scores[0].rmse:.2f}</td>" in page
        assert f"<td>{metrics.scores[0].rmse:.2f}</td>".replace(".", ",") in page

    def test_it_has_a_picture_for_each_part(self, page):
        without_picture = {"ranges"}
        sections = re.findall(r'<section id="en-(\w+)">(.*?)</section>', page, re.DOTALL)
        assert {name for name, content in sections if "<svg" not in content} == without_picture

    def test_it_fetches_nothing(self, page):
        assert re.findall(r'(?:src|href|action)="(?!#)[^"]*"', page) == []
        assert "<script" not in page
        assert "@import" not in page
        assert "url(http" not in page

    def test_a_backtest_of_other_data_is_no_part_of_it(self, metrics, backtest, tmp_path):
        assert 'id="en-backtest"' not in report.write(tmp_path, metrics).read_text("utf-8")
        backtests.write(tmp_path, backtest)
        assert 'id="en-backtest"' in report.write(tmp_path, metrics).read_text("utf-8")
        backtests.write(tmp_path, replace(backtest, data_digest="another"))
        assert 'id="en-backtest"' not in report.write(tmp_path, metrics).read_text("utf-8")
