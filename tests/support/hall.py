"""A hall's program: talks to the REST API with a key, as anybody's client would; knows nothing of the product."""

from __future__ import annotations

import itertools
import uuid
from collections.abc import Mapping
from typing import Any

import httpx

PROBLEM = "application/problem+json"


class Hall:
    """One client with one key."""

    def __init__(self, api: str, key: str = "") -> None:
        self._http = httpx.Client(base_url=api, timeout=30, headers={"authorization": f"Bearer {key}"} if key else {})
        self._run = uuid.uuid4().hex
        self._numbers = itertools.count(1)

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def read(self, path: str, **query: Any) -> dict[str, Any]:
        """Return the answer to a question, which must be one."""
        return _fine(self._http.get(path, params=query))

    def ask(self, path: str, body: Any = None) -> dict[str, Any]:
        """Return the answer to a question with a body."""
        return _fine(self._http.post(path, json=body))

    def do(self, path: str, body: Any = None, *, key: str | None = None) -> dict[str, Any]:
        """Do a deed and return what it answers, which must be yes."""
        return _fine(self.send("POST", path, body=body, key=self.new_key() if key is None else key))

    def refused(self, path: str, body: Any = None, *, key: str | None = None) -> dict[str, Any]:
        """Do a deed that must be refused, and return the problem."""
        return problem_of(self.send("POST", path, body=body, key=self.new_key() if key is None else key))

    def send(
        self, method: str, path: str, *, body: Any = None, key: str | None = None, query: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> httpx.Response:
        """Send whatever is asked for and return the response as it is."""
        sent = dict(headers or {}) | ({"idempotency-key": key} if key is not None else {})
        return self._http.request(method, path, json=body, params=query or None, headers=sent)

    def new_key(self) -> str:
        """Return an idempotency key that nobody has used."""
        return f"{self._run}-{next(self._numbers)}"


def problem_of(response: httpx.Response) -> dict[str, Any]:
    """Return the problem of a response, which must be one in its form."""
    assert response.status_code >= 400, response.text
    assert response.headers["content-type"].split(";")[0] == PROBLEM, response.text
    found: dict[str, Any] = response.json()
    assert found["status"] == response.status_code
    assert found["faults"]
    assert found["code"] == found["faults"][0]["code"]
    assert all(fault["reason"] for fault in found["faults"])
    return found


def _fine(response: httpx.Response) -> dict[str, Any]:
    assert response.status_code < 300, f"{response.status_code} {response.text}"
    found: dict[str, Any] = response.json()
    return found
