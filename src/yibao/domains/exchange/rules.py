"""The form of messages between the platform and the parties. Pure."""

from __future__ import annotations

from typing import Any

import msgspec

PARTIES = {"tax": "税务", "bank": "银行", "hr": "人社", "civil": "民政", "health": "卫健", "police": "公安"}
"""The parties outside and what people call them; each is a process of its own."""
REGION = "region"
"""Another pooling region of this deployment: its messages go through the same books, without a network between."""

_CANONICAL = msgspec.json.Encoder(order="deterministic")


def canonical(body: dict[str, Any]) -> str:
    """Return a body as JSON with sorted keys and without spaces: the same content is the same text."""
    return _CANONICAL.encode(body).decode()


def party_name(party: str) -> str:
    """Return what people call a party."""
    return PARTIES.get(party, "外区" if party == REGION else party)


def read_addresses(text: str) -> dict[str, str]:
    """Return the addresses of the parties from ``tax=http://127.0.0.1:8611,bank=http://...``; nothing is no party.

    Raises:
        ValueError: a party that is none, or no http address; the text says which.
    """
    addresses = {}
    for part in filter(None, (p.strip() for p in text.split(","))):
        party, _, address = part.partition("=")
        if party not in PARTIES:
            raise ValueError(f"没有名为 {party} 的外部单位（{'、'.join(PARTIES)}）")
        if not address.startswith(("http://", "https://")):
            raise ValueError(f"{party} 的地址应以 http:// 或 https:// 开头")
        addresses[party] = address.rstrip("/")
    return addresses
