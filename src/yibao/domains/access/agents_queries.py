"""Reads of agents, keys, proposals and corrections; row-level security shows those of the transaction's regions."""

from __future__ import annotations

import asyncpg
import msgspec

from yibao.domains.access.agents_model import Agent, ApiKey, Bearer, Correction, Proposal
from yibao.infra.database import Connection

_KEY_COLUMNS = ("key_id, admdvs, login, title, scopes, rate_per_minute, created_at, created_by, expires_at, revoked_at, "
                "revoked_by")
BEARER = """
select k.key_id, k.digest, k.login, a.regions, a.division, a.roles, k.scopes, k.rate_per_minute, k.expires_at,
       k.revoked_at, a.disabled_at, a.fixmedins_code
from access.api_key k join access.agent a on a.login = k.login where k.key_id = $1
"""
AGENT = "select * from access.agent where login = $1"
AGENTS = "select * from access.agent order by admdvs, login limit $1"
KEYS = f"""
select {_KEY_COLUMNS} from access.api_key where ($1 = '' or login = $1) order by created_at, key_id limit $2
"""  # noqa: S608 - two constants put together
KEY = f"select {_KEY_COLUMNS} from access.api_key where key_id = $1"  # noqa: S608
PROPOSAL = "select * from access.proposal where proposal_id = $1"
PROPOSALS = """
select * from access.proposal where ($1 = '' or state = $1) order by made_at, proposal_id limit $2
"""
CORRECTION = "select * from access.correction where correction_id = $1"
CORRECTIONS = """
select c.* from access.correction c join people.person p on p.psn_no = c.psn_no
where ($1 = '' or c.state = $1) and ($2 = '' or c.psn_no = $2) order by c.made_at, c.correction_id limit $3
"""


async def find_bearer(tx: Connection, key_id: str) -> Bearer | None:
    """Return what a key opens, alive or not; the rules say whether it still does."""
    row = await tx.fetchrow(BEARER, key_id)
    return None if row is None else msgspec.convert(dict(row), Bearer)


async def find_agent(tx: Connection, login: str) -> Agent | None:
    """Return an agent by login."""
    row = await tx.fetchrow(AGENT, login)
    return None if row is None else msgspec.convert(dict(row), Agent)


async def list_agents(tx: Connection, *, most: int) -> list[Agent]:
    """Return agents by region and login."""
    return [msgspec.convert(dict(row), Agent) for row in await tx.fetch(AGENTS, most)]


async def find_key(tx: Connection, key_id: str) -> ApiKey | None:
    """Return a key without its digest."""
    row = await tx.fetchrow(KEY, key_id)
    return None if row is None else msgspec.convert(dict(row), ApiKey)


async def list_keys(tx: Connection, *, login: str, most: int) -> list[ApiKey]:
    """Return keys, the oldest first; ``""`` selects those of all agents."""
    return [msgspec.convert(dict(row), ApiKey) for row in await tx.fetch(KEYS, login, most)]


async def find_proposal(tx: Connection, proposal_id: str, *, lock: bool = False) -> Proposal | None:
    """Return a proposal; ``lock`` keeps it for this transaction, so that it is decided once."""
    row = await tx.fetchrow(PROPOSAL + (" for update" if lock else ""), proposal_id)
    return None if row is None else _proposal(row)


async def list_proposals(tx: Connection, *, state: str, most: int) -> list[Proposal]:
    """Return proposals, the oldest first; ``""`` selects all states."""
    return [_proposal(row) for row in await tx.fetch(PROPOSALS, state, most)]


async def find_correction(tx: Connection, correction_id: str, *, lock: bool = False) -> Correction | None:
    """Return a request to correct; ``lock`` keeps it for this transaction."""
    row = await tx.fetchrow(CORRECTION + (" for update" if lock else ""), correction_id)
    return None if row is None else msgspec.convert(dict(row), Correction)


async def list_corrections(tx: Connection, *, state: str, psn_no: str, most: int) -> list[Correction]:
    """Return requests to correct, the oldest first; ``""`` selects all."""
    return [msgspec.convert(dict(row), Correction) for row in await tx.fetch(CORRECTIONS, state, psn_no, most)]


def _proposal(row: asyncpg.Record) -> Proposal:
    body = None if row["body"] is None else msgspec.json.decode(row["body"])
    return msgspec.convert({**dict(row), "parameters": msgspec.json.decode(row["parameters"]), "body": body}, Proposal)
