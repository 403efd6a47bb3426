"""The four routes that the original documents, with the bodies that it documents."""

import math

import pytest


@pytest.fixture
def client(server):
    with server.client() as client:
        yield client


def test_health(client):
    response = client.get("/health/")
    assert response.status_code == 200
    assert response.json() == {"status": "API está funcionando corretamente"}


def test_load_model(client, workspace):
    with (workspace / "model" / "flight_delay_model.joblib").open("rb") as file:
        response = client.post("/model/load/", files={"file": file})
    assert response.status_code == 200
    assert response.json() == {"status": "Modelo carregado com sucesso"}


def test_predict_and_history(client, documented):
    response = client.post("/model/predict/", json=documented)
    assert response.status_code == 200
    prediction = response.json()["prediction"]
    assert math.isfinite(prediction)
    assert client.get("/model/history/").json() == {"history": [{"input": documented, "prediction": prediction}]}
