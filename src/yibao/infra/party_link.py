"""The line to a party outside: HTTP with bounded waits."""

from __future__ import annotations

import ssl
from functools import cache
from typing import Any

import httpx

TIMEOUT_S = 10.0


@cache
def _trusted() -> ssl.SSLContext:
    """Return the certificates that are trusted; reading them costs more than a whole round."""
    return ssl.create_default_context()


class PartyUnreachable(Exception):
    """A party did not answer, or not as agreed; the text says what it did. Nothing is lost: ask again later."""


class HttpLink:
    """A party at an address, such as ``http://127.0.0.1:8611``."""

    def __init__(self, address: str, *, timeout_s: float = TIMEOUT_S) -> None:
        self._client = httpx.AsyncClient(base_url=address, timeout=timeout_s, trust_env=False, verify=_trusted())

    async def close(self) -> None:
        """Hang up."""
        await self._client.aclose()

    async def deliver(self, messages: list[dict[str, Any]]) -> int:
        """Hand messages over in order; return the number of the newest one that the party has.

        Raises:
            PartyUnreachable: no answer, or it declines the rest; ``taken`` in its text is what it has.
        """
        answer = await self._ask("POST", "/messages", json={"messages": messages})
        return int(answer["taken"])

    async def fetch(self, *, after: int, limit: int) -> list[dict[str, Any]]:
        """Return the party's messages with higher numbers, in order.

        Raises:
            PartyUnreachable: no answer.
        """
        answer = await self._ask("GET", "/messages", params={"after": after, "limit": limit})
        messages = answer["messages"]
        if not isinstance(messages, list):
            raise PartyUnreachable("the answer has no messages")
        return messages

    async def call(self, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        """Ask anything else of the party: POST with a body, GET without.

        Raises:
            PartyUnreachable: no answer, or it says no.
        """
        return await self._ask("GET" if body is None else "POST", path, json=body)

    async def _ask(self, method: str, path: str, **more: Any) -> dict[str, Any]:
        try:
            answer = await self._client.request(method, path, **more)
            content = answer.json()
        except (httpx.HTTPError, ValueError) as error:
            raise PartyUnreachable(f"{type(error).__name__} {error}".strip()) from error
        if answer.status_code != httpx.codes.OK or not isinstance(content, dict):
            why = content.get("why", "") if isinstance(content, dict) else ""
            raise PartyUnreachable(f"HTTP {answer.status_code} {why}".strip())
        return content
