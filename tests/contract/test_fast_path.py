"""The prediction route answers alike, matched ahead of FastAPI or through it."""

import json

import httpx
import pytest

from flight_delay.api.app import create_app


@pytest.fixture
def ask(workspace, monkeypatch):
    """Send one body down both ways; return both responses."""
    monkeypatch.chdir(workspace)

    async def both(body, query, headers):
        front = create_app()
        application = front._app
        async with application.router.lifespan_context(application):
            responses = []
            for app in (front, _with_request_id(application)):
                transport = httpx.ASGITransport(app)
                async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
                    responses.append(
                        await client.post(
                            f"/model/predict/{query}",
                            content=body,
                            headers={"Content-Type": "application/json"} | headers,
                        )
                    )
        return responses

    import asyncio

    return lambda body, query="", **headers: asyncio.run(both(body, query, headers))


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


@pytest.mark.parametrize("language", ["pt", "en"])
@pytest.mark.parametrize("query", ["?include=interval,notes&include=explanation", "?include=quantiles,probabilities"])
def test_what_is_included(ask, documented, query, language):
    ahead, through = ask(json.dumps(documented), query, **{"Accept-Language": language})
    assert ahead.status_code == through.status_code == 200
    assert ahead.content == through.content
    for header in ("Content-Type", "Content-Language", "Vary"):
        assert ahead.headers.get(header) == through.headers.get(header)


def test_metadata(ask, documented):
    ahead, through = (response.json()["metadata"] for response in ask(json.dumps(documented), "?include=metadata"))
    assert through["id"] == ahead["id"] + 1
    assert {**ahead, "id": 0, "predicted_at": 0} == {**through, "id": 0, "predicted_at": 0}


@pytest.mark.parametrize(
    "query", ["?include=intervals", "?include=", "?inclde=notes&include=x,interval", "?x", "?x=1&x=2"]
)
@pytest.mark.parametrize("change", [{}, {"month": 13}], ids=str)
def test_a_parameter_that_is_not_known(ask, documented, query, change):
    ahead, through = ask(json.dumps(documented | change), query)
    assert ahead.status_code == through.status_code == 422
    assert ahead.json() == through.json()
