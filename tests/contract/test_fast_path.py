"""The prediction route answers alike, matched ahead of FastAPI or through it."""

import json

import httpx
import pytest

from flight_delay.api.app import create_app


@pytest.fixture
def ask(workspace, monkeypatch):
    """Send one body down both ways; return both responses."""
    monkeypatch.chdir(workspace)

    async def both(body):
        front = create_app()
        application = front._app
        async with application.router.lifespan_context(application):
            responses = []
            for app in (front, _with_request_id(application)):
                transport = httpx.ASGITransport(app)
                async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
                    responses.append(
                        await client.post("/model/predict/", content=body, headers={"Content-Type": "application/json"})
                    )
        return responses

    import asyncio

    return lambda body: asyncio.run(both(body))


def _with_request_id(app):
    async def with_id(scope, receive, send):
        await app(scope | {"state": {"request_id": "test"}}, receive, send)

    return with_id


def test_a_prediction(ask, documented):
    ahead, through = ask(json.dumps(documented))
    assert ahead.status_code == through.status_code == 200
    assert ahead.json() == through.json()
    assert ahead.headers["X-Model-Version"] == through.headers["X-Model-Version"]
    assert int(through.headers["X-Prediction-Id"]) == int(ahead.headers["X-Prediction-Id"]) + 1


@pytest.mark.parametrize(
    "change",
    [{"month": 13}, {"dep_dely": 1}, {"hour": 3}, {"weather": {"temp_c": "x"}}, {"month": 2, "day": 30}],
    ids=str,
)
def test_a_refusal(ask, documented, change):
    ahead, through = ask(json.dumps(documented | change))
    assert ahead.status_code == through.status_code == 422
    assert ahead.json() == through.json()
    assert ahead.headers["Content-Type"] == through.headers["Content-Type"]
