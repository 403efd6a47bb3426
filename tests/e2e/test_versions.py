"""Models that others fitted, and versions: sent, kept, promoted, rolled back, deleted, scored beside the live one."""

import datetime as dt
import json
import shutil
import time
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

import airportsdata
import joblib
import numpy as np
import pandas as pd
import pytest
from conftest import run_command
from foreign_models import CARRIERS, CODES, DESTS, NUMBERS, ORIGINS, TRAIN, preprocessed, target
from lightgbm import LGBMRegressor
from sklearn.ensemble import RandomForestRegressor
from sklearn.linear_model import LinearRegression
from sklearn.pipeline import make_pipeline

from flight_delay.airports import great_circle_km
from flight_delay.store import models
from flight_delay.store.database import database_at, opened

TRAINED, LINE, PIPELINE, TREES = 1, 2, 3, 4
"""The versions that are in `stocked`, in the order in which they were kept."""
COLUMNS = [*NUMBERS, *CODES]
KINDS = [pd.CategoricalDtype(known) for known in (CARRIERS, ORIGINS, DESTS)]
WHEN = dt.datetime(2026, 11, 23, 12, tzinfo=dt.UTC)


def with_categories(frame):
    return frame[COLUMNS].astype(dict(zip(CODES, KINDS, strict=True)))


def one_hot(frame):
    return pd.get_dummies(with_categories(frame), columns=CODES, drop_first=True)


def frame_of(request):
    """A request as the table has it that such models are fitted on: its distance is in miles, from the airports."""
    places = airportsdata.load("IATA")
    origin, dest = (places[request[end]] for end in ("origin", "dest"))
    km = great_circle_km(origin["lat"], origin["lon"], dest["lat"], dest["lon"])
    row = {"hour": request["sched_dep_time"] // 100, "distance": km / 1.609344}
    return pd.DataFrame([{name: request.get(name) for name in COLUMNS} | row])


class Sent(NamedTuple):
    """A file that somebody sends, and what its model answers by itself."""

    path: object
    model: object
    encode: object

    def answer(self, request):
        return pytest.approx(float(self.model.predict(self.encode(frame_of(request)))[0]), rel=1e-9)


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """A bare line over one-hot columns, a pipeline over raw ones, and LightGBM over categories, by version."""
    folder = tmp_path_factory.mktemp("files")
    y = target(TRAIN)
    fitted = {
        LINE: ("line.joblib", LinearRegression().fit(one_hot(TRAIN), y), one_hot),
        PIPELINE: (
            "pipeline.pkl",
            make_pipeline(preprocessed(), RandomForestRegressor(8, max_depth=6, random_state=1)).fit(TRAIN, y),
            lambda frame: frame,
        ),
        TREES: (
            "trees.joblib",
            LGBMRegressor(n_estimators=20, random_state=1, n_jobs=1, verbose=-1).fit(with_categories(TRAIN), y),
            with_categories,
        ),
    }
    for name, model, _ in fitted.values():
        joblib.dump(model, folder / name, compress=3)
    return {version: Sent(folder / name, model, encode) for version, (name, model, encode) in fitted.items()}


def send(client, path, name=None, **parameters):
    files = {"file": (name or path.name, path.read_bytes())}
    return client.post("/model/load/", files=files, params=parameters)


@pytest.fixture(scope="module")
def stock(start_lasting_server, trained, tmp_path_factory, files):
    """A folder whose database holds the trained model, live, and the three others."""
    folder = tmp_path_factory.mktemp("stock")
    shutil.copytree(trained.model.parent, folder / "model")
    server = start_lasting_server(folder)
    server.wait()
    with server.client() as client:
        for version, sent in files.items():
            kept = send(client, sent.path, promote="false")
            assert (kept.status_code, kept.headers["Location"]) == (200, f"/model/versions/{version}/"), kept.text
            assert kept.headers["X-Model-Version"] == str(TRAINED)
    server.stop()
    return folder


@pytest.fixture
def stocked(stock, tmp_path):
    shutil.copytree(stock / "data", tmp_path / "data")
    return tmp_path


@pytest.fixture
def service(start_lasting_server, stocked):
    started = start_lasting_server(stocked)
    started.wait()
    yield started
    started.stop()


@pytest.fixture
def client(service):
    with service.client() as client:
        yield client


@pytest.fixture(scope="module")
def reader(start_lasting_server, stock, tmp_path_factory):
    """A client of a service that no test changes."""
    folder = tmp_path_factory.mktemp("unchanged")
    shutil.copytree(stock / "data", folder / "data")
    server = start_lasting_server(folder)
    server.wait()
    with server.client() as client:
        yield client
    server.stop()


def promote(client, version, **promotion):
    return client.post(f"/model/versions/{version}/promote/", json=promotion or None)


def predict(client, request, **parameters):
    return client.post("/model/predict/", json=request, params=parameters)


def problem(response):
    return response.status_code, response.json()["type"].removeprefix("urn:flight-delay:problem:")


def until(ask, condition, seconds=10):
    """Ask again and again until the answer is as it should be; return it."""
    for _ in range(seconds * 20):
        found = ask()
        if condition(found):
            return found
        time.sleep(0.05)
    raise AssertionError(f"still {found} after {seconds} s")


class TestModelsOfOthers:
    def test_once_sent_they_are_live_and_answer_as_they_did_where_they_were_fitted(self, server, files, documented):
        with server.client() as client:
            for version, sent in files.items():
                loaded = send(client, sent.path)
                assert loaded.json() == {"status": "Modelo carregado com sucesso"}
                assert loaded.headers["Location"] == f"/model/versions/{version}/"
                for request in (documented, documented | {"carrier": "UA", "dest": "BOS", "dep_delay": -4.5}):
                    answered = predict(client, request)
                    assert answered.headers["X-Model-Version"] == str(version)
                    assert answered.json() == {"prediction": sent.answer(request)}
            assert client.get("/health/ready/").json()["model_version"] == TREES

    def test_the_distance_of_the_request_is_not_needed(self, client, files, documented):
        promote(client, LINE)
        expected = files[LINE].answer(documented)
        assert predict(client, documented | {"distance": 1.0}).json() == {"prediction": expected}
        del documented["distance"], documented["hour"]
        assert predict(client, documented).json() == {"prediction": expected}

    def test_the_same_file_again_is_the_same_version(self, client, files):
        again = send(client, files[LINE].path, "other name.joblib")
        assert (again.headers["Location"], again.headers["X-Model-Version"]) == ("/model/versions/2/", "2")
        assert len(client.get("/model/versions/").json()["versions"]) == 4

    def test_one_that_keeps_no_names_of_columns_is_refused_and_nothing_changes(self, reader, tmp_path):
        joblib.dump(LinearRegression().fit(np.eye(3), np.ones(3)), tmp_path / "nameless.joblib")
        refused = send(reader, tmp_path / "nameless.joblib")
        assert problem(refused) == (422, "refused-schema-nameless")
        assert "DataFrame" in refused.json()["detail"]
        assert reader.get("/model/").json()["version"] == TRAINED
        assert len(reader.get("/model/versions/").json()["versions"]) == 4

    def test_what_they_cannot_say_is_refused_by_name(self, client, documented):
        promote(client, LINE)
        beyond = ["explanation", "interval", "probabilities", "quantiles"]
        asked = {"include": ",".join(["notes", *beyond, "metadata"])}
        refused = client.post("/model/predict/", json=documented, params=asked, headers={"Accept-Language": "en"})
        assert refused.status_code == 422
        assert refused.json()["errors"] == [
            {"field": "include", "message": f"the live model gives minutes alone, and no {name}", "value": name}
            for name in beyond
        ]

    def test_metadata_and_notes_they_have(self, client, documented):
        promote(client, LINE)
        said = predict(client, documented, include="metadata,notes").json()
        assert said["metadata"].items() >= {"model_version": LINE, "horizon": "departed", "told": False}.items()
        assert len(said["notes"]) == 1
        strange = predict(client, documented | {"carrier": "ZZ"}, include="notes").json()
        assert len(strange["notes"]) == 2

    def test_a_flight_without_what_they_need_is_refused(self, client, documented):
        """The line has no answer without these fields; the trained model has."""
        del documented["dep_delay"], documented["sched_arr_time"]
        assert predict(client, documented).status_code == 200
        promote(client, LINE)
        refused = predict(client, documented)
        assert problem(refused) == (422, "invalid-fields")
        assert [error["field"] for error in refused.json()["errors"]] == ["dep_delay", "sched_arr_time"]
        assert len(client.get("/model/history/").json()["history"]) == 1

    def test_light_gbm_needs_nothing(self, client, files, documented):
        promote(client, TREES)
        del documented["dep_delay"]
        frame = frame_of(documented).astype({"dep_delay": float})
        expected = float(files[TREES].model.predict(with_categories(frame))[0])
        assert predict(client, documented).json()["prediction"] == pytest.approx(expected, rel=1e-9)


class TestReading:
    def test_the_live_model(self, reader):
        live = reader.get("/model/").json()
        assert (live["version"], live["generation"], live["live"]) == (TRAINED, 1, True)
        assert live["promoted_by"] == live["added_by"] == "flight-delay train"
        assert (live["kind"], live["horizons"]) == ("specialists", ["schedule", "pre_departure", "departed"])

    def test_every_version(self, reader, files):
        versions = reader.get("/model/versions/").json()["versions"]
        assert [(one["version"], one["live"], one["kind"]) for one in versions] == [
            (TRAINED, True, "specialists"), (LINE, False, "point"), (PIPELINE, False, "point"), (TREES, False, "point"),
        ]  # fmt: skip
        assert [one["filename"] for one in versions[1:]] == [sent.path.name for sent in files.values()]
        assert {one["added_by"] for one in versions[1:]} == {"anyone"}
        assert all(one["deleted_at"] is None for one in versions)

    def test_how_the_trained_one_did_in_its_test(self, reader):
        version = reader.get(f"/model/versions/{TRAINED}/").json()
        assert version["metrics"].keys() == {"departed", "pre_departure", "schedule"}
        departed = version["metrics"]["departed"]
        [score] = [
            one
            for one in version["lineage"]["scores"]
            if (one["horizon"], one["model"], one["inputs"]) == ("departed", "model", "all that is known")
        ]
        assert departed == {name: score[name] for name in ("rmse", "mae", "auc_15", "flights")}
        assert version["data_digest"] == version["lineage"]["data_digest"]
        assert version["confined"] is None

    def test_what_the_examination_of_another_found(self, reader):
        version = reader.get(f"/model/versions/{LINE}/").json()
        assert version["lineage"].keys() == {"examined", "checked"}
        assert version["confined"]
        assert {"carrier", "origin", "dest"}.isdisjoint(version["metrics"])
        assert {"dep_delay", "distance", "sched_arr_time"} <= set(version["features"]["point"])
        assert (version["metrics"], version["data_digest"]) == ({}, None)

    @pytest.mark.parametrize("path", ["/model", "/model/versions", "/model/versions/2", "/model/deployments"])
    def test_the_last_slash_may_be_left_out(self, reader, path):
        assert reader.get(path).json() == reader.get(f"{path}/").json()

    def test_a_version_that_there_is_not(self, reader):
        assert problem(reader.get("/model/versions/99/")) == (404, "no-such-version")
        for number in ("0", "x", "-1", str(2**63)):
            assert problem(reader.get(f"/model/versions/{number}/")) == (422, "invalid-fields")

    def test_a_service_without_a_model(self, start_server, tmp_path):
        server = start_server(tmp_path)
        server.wait("/health/")
        with server.client() as client:
            assert problem(client.get("/model/")) == (503, "no-model")
            assert client.get("/model/versions/").json() == {"versions": []}
            assert client.get("/model/deployments/").json() == {"deployments": []}
            assert problem(client.post("/model/rollback/")) == (409, "nothing-before")


class TestPromoting:
    def test_it_answers_from_then_on(self, client, files, documented):
        before = predict(client, documented).json()
        assert promote(client, PIPELINE).json() == {"version": PIPELINE, "generation": 2}
        assert predict(client, documented).json() == {"prediction": files[PIPELINE].answer(documented)}
        promote(client, TRAINED)
        assert predict(client, documented).json() == before

    def test_roll_back_goes_back_and_again_further(self, client):
        for version in (LINE, PIPELINE):
            promote(client, version)
        for version in (LINE, TRAINED):
            assert client.post("/model/rollback/", json={"reason": "worse"}).json()["version"] == version
            assert client.get("/model/").json()["version"] == version
        assert problem(client.post("/model/rollback/")) == (409, "nothing-before")

    def test_the_record(self, client, files):
        promote(client, LINE, reason="to see")
        client.post("/model/rollback/", json={"reason": "seen"})
        send(client, files[TREES].path)
        told = client.get("/model/deployments/").json()["deployments"]
        assert [(one["version"], one["from_version"], one["action"], one["by"], one["reason"]) for one in told] == [
            (TRAINED, None, "training", "flight-delay train", "flight_delay_model.npz"),
            (LINE, TRAINED, "promotion", "anyone", "to see"),
            (TRAINED, LINE, "rollback", "anyone", "seen"),
            (TREES, TRAINED, "upload", "anyone", "upload of trees.joblib"),
        ]
        assert [one["generation"] for one in told] == [1, 2, 3, 4]
        assert all(one["overruled"] is None for one in told)

    def test_the_record_names_the_key(self, service, stocked):
        made = run_command("keys", "create", "ana", "--scope", "manage", "--scope", "read", folder=stocked)
        time.sleep(1)
        headers = {"Authorization": f"Bearer {made.stdout.strip()}"}
        with service.client() as client:
            assert promote(client, LINE).status_code == 401
            assert client.post(f"/model/versions/{LINE}/promote/", headers=headers).status_code == 200
            told = client.get("/model/deployments/", headers=headers).json()["deployments"]
        assert told[-1]["by"].startswith("ana")

    @pytest.mark.parametrize(
        ("wish", "field"),
        [({"force": True}, "reason"), ({"force": True, "reason": " "}, "reason"), ({"force": 1}, "force"), ({"why": ""}, "why")],
    )  # fmt: skip
    def test_a_wish_that_cannot_be_understood(self, reader, wish, field):
        refused = promote(reader, LINE, **wish)
        assert problem(refused) == (422, "invalid-fields")
        assert [error["field"] for error in refused.json()["errors"]] == [field]
        assert reader.get("/model/").json()["version"] == TRAINED

    @pytest.mark.parametrize("body", [b"\xff", b"{", b"[" * 50_000, b'"x"', b"[]"])
    def test_a_body_that_is_no_wish(self, reader, body):
        for path in (f"versions/{LINE}/promote/", "rollback/", "shadow/"):
            refused = reader.post(f"/model/{path}", content=body, headers={"Content-Type": "application/json"})
            assert problem(refused) == (422, "invalid-fields")

    def test_a_wish_that_is_far_too_long(self, reader):
        wish = json.dumps({"reason": "x" * 100_000}).encode()
        assert problem(reader.post("/model/rollback/", content=wish)) == (413, "body-too-large")

    def test_one_that_is_not_there_or_cannot_be_read(self, client, stocked):
        with opened(database_at(f"sqlite:///{stocked}/data/flight_delay.sqlite3")) as connection:
            broken = models.add(connection, models.Made(b"broken", "0" * 64, "m.joblib", "a test", "{}"), WHEN)
        assert problem(promote(client, 99)) == (404, "no-such-version")
        assert problem(promote(client, broken)) == (409, "broken-artifact")
        assert client.get(f"/model/versions/{broken}/").json()["kind"] == ""
        assert client.get("/model/").json()["version"] == TRAINED

    def test_two_workers_change_at_the_same_answer(self, start_server, stocked, documented):
        server = start_server(stocked, "--workers", "2")
        server.wait()

        def version(_):
            with server.client() as client:
                return predict(client, documented).headers["X-Model-Version"]

        with ThreadPoolExecutor(8) as pool:
            for number in (LINE, TREES, TRAINED):
                with server.client() as client:
                    promote(client, number)
                assert set(pool.map(version, range(40))) == {str(number)}

    def test_what_only_trusted_files_may_be_is_refused_unopened(self, start_server, workspace, files):
        server = start_server(workspace, FLIGHT_DELAY_TRUSTED_MODEL_SHA256="0" * 64)
        server.wait()
        with server.client() as client:
            assert problem(send(client, files[LINE].path)) == (422, "untrusted-model")


class TestDeleting:
    def test_it_is_gone_and_the_same_file_brings_it_back(self, client, files, documented):
        assert problem(client.delete(f"/model/versions/{TRAINED}/")) == (409, "version-in-use")
        gone = client.delete(f"/model/versions/{LINE}/")
        assert (gone.status_code, gone.content) == (204, b"")
        for again in (client.delete(f"/model/versions/{LINE}/"), promote(client, LINE)):
            assert problem(again) == (404, "no-such-version")
        record = client.get(f"/model/versions/{LINE}/").json()
        assert record["deleted_by"] == "anyone"
        assert record["deleted_at"]
        assert send(client, files[LINE].path).headers["Location"] == f"/model/versions/{LINE}/"
        assert client.get("/model/").json().items() >= {"version": LINE, "deleted_at": None, "deleted_by": None}.items()
        assert predict(client, documented).json() == {"prediction": files[LINE].answer(documented)}

    def test_roll_back_passes_over_it(self, client):
        for version in (LINE, PIPELINE):
            promote(client, version)
        client.delete(f"/model/versions/{LINE}")
        assert client.post("/model/rollback/").json()["version"] == TRAINED


class TestGate:
    @pytest.fixture
    def gated(self, start_server, stocked):
        server = start_server(stocked, FLIGHT_DELAY_GATE_WORSE_PCT="10")
        server.wait()
        with server.client() as client:
            yield client
        server.stop()

    def test_what_nothing_compares_does_not_go_live_but_by_force(self, gated):
        assert problem(promote(gated, LINE)) == (409, "gate-unmeasured")
        assert promote(gated, LINE, force=True, reason="a trial").json()["version"] == LINE
        newest = gated.get("/model/deployments/").json()["deployments"][-1]
        assert newest["overruled"].startswith("gate_unmeasured")
        assert gated.post("/model/rollback/").json()["version"] == TRAINED

    def test_what_is_worse_on_flights_that_arrived_does_not(self, gated, files, documented):
        flight = documented | {"year": 2013}
        del flight["hour"], flight["distance"]
        arrived = float(files[LINE].model.predict(one_hot(frame_of(documented)))[0])
        gated.post("/model/outcomes/", json=[flight | {"arr_delay": round(arrived, 6)}] * 100)
        assert promote(gated, LINE).status_code == 200
        refused = gated.post(f"/model/versions/{TRAINED}/promote/", headers={"Accept-Language": "en"})
        assert problem(refused) == (409, "gate-refused")
        assert "100 flights that arrived" in refused.json()["detail"]

    def test_a_file_that_does_not_pass_is_kept(self, gated, files):
        gated.delete(f"/model/versions/{LINE}/")
        assert problem(send(gated, files[LINE].path)) == (409, "gate-unmeasured")
        assert gated.get("/model/").json()["version"] == TRAINED
        assert gated.get(f"/model/versions/{LINE}/").json()["deleted_at"] is None


class TestShadow:
    def test_there_is_none_at_first(self, reader):
        assert problem(reader.get("/model/shadow/")) == (404, "no-shadow")
        assert reader.get(f"/model/shadow/{LINE}/").json()["scored"] == 0

    def test_it_is_scored_after_the_answers_and_compared_once_flights_arrive(self, client, files, documented):
        assert client.post("/model/shadow/", json={"version": LINE}).json() == {"version": LINE}
        told = []
        for delay in (0.0, 25.0, 50.0):
            request = documented | {"year": 2013, "dep_delay": delay}
            answered = predict(client, request)
            assert answered.headers["X-Model-Version"] == str(TRAINED)
            told.append((request, answered.json()["prediction"], int(answered.headers["X-Prediction-Id"])))
        found = until(lambda: client.get("/model/shadow/").json(), lambda found: found["scored"] == 3)
        theirs = [float(files[LINE].model.predict(one_hot(frame_of(request)))[0]) for request, _, _ in told]
        apart = np.array(theirs) - [answer for _, answer, _ in told]
        assert found["mean_difference"] == pytest.approx(apart.mean())
        assert found["mean_absolute_difference"] == pytest.approx(np.abs(apart).mean())
        assert (found["arrived"], found["live"], found["shadow"]) == (0, None, None)
        for (_, _, number), arr_delay in zip(told[:2], (3.0, 12.0), strict=True):
            client.post("/model/outcomes/", json={"prediction_id": number, "arr_delay": arr_delay})
        found = client.get("/model/shadow/").json()
        assert found == client.get(f"/model/shadow/{LINE}/").json()
        assert found["arrived"] == 2
        for who, answers in (("live", [answer for _, answer, _ in told]), ("shadow", theirs)):
            off = np.array(answers[:2]) - (3.0, 12.0)
            assert found[who] == pytest.approx({"mae": np.abs(off).mean(), "rmse": np.sqrt((off**2).mean())})

    def test_a_flight_to_which_it_has_no_answer_is_left_out(self, client, documented):
        client.post("/model/shadow/", json={"version": LINE})
        without = {name: value for name, value in documented.items() if name != "dep_delay"}
        for request in (without, documented):
            assert predict(client, request).status_code == 200
        assert until(lambda: client.get("/model/shadow/").json()["scored"], bool) == 1

    def test_it_ends_when_it_is_live_and_when_there_is_to_be_none(self, client, documented):
        client.post("/model/shadow/", json={"version": LINE})
        promote(client, LINE)
        predict(client, documented)
        time.sleep(1.5)
        assert client.get("/model/shadow/").json()["scored"] == 0
        assert client.post("/model/shadow/", json={"version": None}).json() == {"version": None}
        assert problem(client.get("/model/shadow/")) == (404, "no-shadow")

    def test_one_that_cannot_be_read_disturbs_nobody(self, client, stocked, documented):
        with opened(database_at(f"sqlite:///{stocked}/data/flight_delay.sqlite3")) as connection:
            broken = models.add(connection, models.Made(b"broken", "0" * 64, "m.joblib", "a test", "{}"), WHEN)
        assert client.post("/model/shadow/", json={"version": broken}).status_code == 200
        assert predict(client, documented).status_code == 200
        assert promote(client, LINE).status_code == 200
        assert client.get("/model/shadow/").json()["scored"] == 0

    def test_only_a_version_that_is_there(self, reader):
        assert problem(reader.post("/model/shadow/", json={"version": 99})) == (404, "no-such-version")
        assert problem(reader.get("/model/shadow/99/")) == (404, "no-such-version")
        for body in ({}, {"version": 0}, {"version": True}, {"version": "2"}, {"version": 2, "x": 1}):
            assert reader.post("/model/shadow/", json=body).status_code == 422

    def test_every_worker_scores(self, start_server, stocked, documented):
        server = start_server(stocked, "--workers", "2")
        server.wait()
        with server.client() as client:
            client.post("/model/shadow/", json={"version": TREES})
            time.sleep(1)
            for _ in range(10):
                with server.client() as other:
                    predict(other, documented)
            assert until(lambda: client.get("/model/shadow/").json()["scored"], lambda scored: scored == 10)


class TestCommands:
    def run(self, folder, *arguments, **environment):
        return run_command("models", *arguments, folder=folder, **environment)

    def test_the_running_service_answers_with_what_is_promoted(self, client, stocked, files, documented):
        done = self.run(stocked, "promote", str(LINE), "--reason", "to see")
        assert done.returncode == 0, done.stderr
        assert "within a second" in done.stdout
        until(lambda: client.get("/health/ready/").json()["model_version"], lambda version: version == LINE, seconds=1)
        assert predict(client, documented).json() == {"prediction": files[LINE].answer(documented)}
        assert self.run(stocked, "rollback", "--reason", "seen").returncode == 0
        assert predict(client, documented).headers["X-Model-Version"] == str(TRAINED)
        told = client.get("/model/deployments/").json()["deployments"][1:]
        assert [(one["action"], one["reason"]) for one in told] == [("promotion", "to see"), ("rollback", "seen")]
        assert all(one["by"].startswith("cli") for one in told)

    def test_as_json_they_say_what_the_service_says(self, client, stocked):
        client.post("/model/shadow/", json={"version": LINE})
        for arguments, path in (
            (["list"], "versions/"), (["show", str(LINE)], f"versions/{LINE}/"), (["deployments"], "deployments/"),
            (["compare"], "shadow/"), (["compare", str(TREES)], f"shadow/{TREES}/"),
        ):  # fmt: skip
            assert json.loads(self.run(stocked, *arguments, "--json").stdout) == client.get(f"/model/{path}").json()

    def test_as_tables(self, stocked):
        self.run(stocked, "shadow", str(TREES))
        self.run(stocked, "delete", str(PIPELINE))
        listed = [line.split() for line in self.run(stocked, "list").stdout.splitlines()]
        assert [line[:3] for line in listed if line and line[0].isdigit()] == [
            ["1", "live", "specialists"], ["2", "point", "line.joblib"], ["3", "deleted", "point"], ["4", "shadow", "point"],
        ]  # fmt: skip
        assert "dep_delay" in self.run(stocked, "show", str(LINE)).stdout
        assert "flight_delay_model.npz" in self.run(stocked, "deployments").stdout
        assert "Version 4 beside" in self.run(stocked, "compare").stdout
        assert "no ar" in self.run(stocked, "list", LANG="pt_BR.UTF-8").stdout

    def test_names_of_files_neither_break_the_table_nor_steer_the_terminal(self, stocked):
        name = "[/red]\x1b[2J :smile:.joblib"
        with opened(database_at(f"sqlite:///{stocked}/data/flight_delay.sqlite3")) as connection:
            models.add(connection, models.Made(b"broken", "0" * 64, name, "[bold]", "{}"), WHEN)
        done = self.run(stocked, "list")
        assert done.returncode == 0, done.stderr
        assert "[/red]" in done.stdout
        assert "\x1b[2J" not in done.stdout
        assert json.loads(self.run(stocked, "list", "--json").stdout)["versions"][-1]["filename"] == name

    def test_a_shadow_and_none(self, client, stocked, documented):
        assert "is the shadow" in self.run(stocked, "shadow", str(LINE)).stdout
        time.sleep(1)
        predict(client, documented)
        until(lambda: client.get("/model/shadow/").json()["scored"], bool)
        assert "on 1 prediction(s)" in self.run(stocked, "compare").stdout
        assert "It is live" in self.run(stocked, "shadow", str(TRAINED)).stderr
        assert self.run(stocked, "shadow", "--off").returncode == 0
        none = self.run(stocked, "compare")
        assert (none.returncode, none.stdout) == (1, "")
        assert "no shadow" in none.stderr

    def test_the_gate_holds_here_too(self, stocked):
        gate = {"FLIGHT_DELAY_GATE_WORSE_PCT": "10"}
        refused = self.run(stocked, "promote", str(LINE), **gate)
        assert (refused.returncode, refused.stdout) == (1, "")
        assert "nothing compares it" in refused.stderr
        assert self.run(stocked, "promote", str(LINE), "--force", **gate).returncode == 2
        forced = self.run(stocked, "promote", str(LINE), "--force", "--reason", "a trial", **gate)
        assert forced.returncode == 0
        assert "In spite of the gate" in forced.stderr

    @pytest.mark.parametrize(
        ("arguments", "code"),
        [
            (["promote", "99"], 1),
            (["show", "99"], 1),
            (["delete", "1"], 1),
            (["rollback"], 1),
            (["compare", "99"], 1),
            (["shadow", "99"], 1),
            (["shadow"], 2),
            (["shadow", "2", "--off"], 2),
            (["promote", "0"], 2),
        ],
    )
    def test_what_cannot_be_done_is_said(self, stocked, arguments, code):
        done = self.run(stocked, *arguments)
        assert (done.returncode, done.stdout) == (code, "")
        assert done.stderr
        assert "Traceback" not in done.stderr
