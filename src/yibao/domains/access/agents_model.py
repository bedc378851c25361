"""Agents of the agency, their keys, and deeds that wait for a second person, as facts."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec


class Agent(msgspec.Struct, frozen=True, kw_only=True):
    """A clerk of the agency, or a program that acts for it.

    Attributes:
        admdvs: region that keeps the account.
        regions: regions whose data the agent may see.
        division: county (6 digits) or town (9) that limits what is seen further; ``""`` for the whole region.
        roles: ``intake``, ``review``, ``approve``, ``pay``, ``audit``, ``admin``, or ``institution`` alone; see
            ``agents_rules.role_faults``.
        fixmedins_code: the institution for which an agent in role ``institution`` acts, and for no other; else ``""``.
    """

    login: str
    admdvs: str
    name: str
    regions: tuple[str, ...]
    division: str
    roles: tuple[str, ...]
    created_at: datetime
    created_by: str
    disabled_at: datetime | None
    fixmedins_code: str = ""


class ApiKey(msgspec.Struct, frozen=True, kw_only=True):
    """A key as anybody may see it: never its secret.

    Attributes:
        scopes: roles the key may use, of those its agent has.
        expires_at: from this instant on the key opens nothing.
    """

    key_id: str
    admdvs: str
    login: str
    title: str
    scopes: tuple[str, ...]
    rate_per_minute: int
    created_at: datetime
    created_by: str
    expires_at: datetime
    revoked_at: datetime | None
    revoked_by: str


class Bearer(msgspec.Struct, frozen=True, kw_only=True):
    """What a shown key opens: the key's agent, and how far both reach together."""

    key_id: str
    digest: bytes
    login: str
    regions: tuple[str, ...]
    division: str
    roles: tuple[str, ...]
    scopes: tuple[str, ...]
    rate_per_minute: int
    expires_at: datetime
    revoked_at: datetime | None
    disabled_at: datetime | None
    fixmedins_code: str = ""


class Proposal(msgspec.Struct, frozen=True, kw_only=True):
    """A sensitive deed as its maker asked for it; somebody else approves or rejects it.

    Attributes:
        operation: the operation of the API that will be done.
        state: ``proposed``, ``approved``, ``rejected`` or ``withdrawn``.
    """

    proposal_id: str
    admdvs: str
    division: str
    verb: str
    operation: str
    psn_no: str | None
    parameters: dict[str, Any]
    body: Any
    made_by: str
    made_at: datetime
    state: str
    decided_by: str
    decided_at: datetime | None
    reason: str


class Correction(msgspec.Struct, frozen=True, kw_only=True):
    """A request to correct what is stored about a person; ``state`` is ``asked``, ``corrected`` or ``rejected``."""

    correction_id: str
    psn_no: str
    admdvs: str
    field: str
    old_value: str
    new_value: str
    reason: str
    evidence: str
    state: str
    made_by: str
    made_at: datetime
    decided_by: str
    decided_at: datetime | None
    answer: str
