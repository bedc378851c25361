"""Writes of agents, keys, proposals and corrections. Of a key's secret only the digest is stored."""

from __future__ import annotations

from datetime import datetime

import msgspec

from yibao.domains.access.agents_model import Agent, ApiKey, Correction, Proposal
from yibao.infra.database import Connection

KEEP_AGENT = """
insert into access.agent (login, admdvs, name, regions, division, roles, created_at, created_by, disabled_at,
    fixmedins_code)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
on conflict (login) do update set name = excluded.name, regions = excluded.regions, division = excluded.division,
    roles = excluded.roles, disabled_at = excluded.disabled_at, fixmedins_code = excluded.fixmedins_code
where access.agent.admdvs = excluded.admdvs
returning true
"""
ADD_KEY = """
insert into access.api_key (key_id, admdvs, login, title, scopes, rate_per_minute, created_at, created_by, expires_at,
    revoked_by, digest)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, '', $10)
"""
REVOKE = """
update access.api_key set revoked_at = $2, revoked_by = $3 where key_id = $1 and revoked_at is null returning true
"""
PROPOSE = """
insert into access.proposal (proposal_id, admdvs, division, verb, operation, psn_no, parameters, body, made_by, made_at,
    state)
values ($1, $2, $3, $4, $5, $6, $7::jsonb, $8::jsonb, $9, $10, 'proposed')
"""
DECIDE = """
update access.proposal set state = $2, decided_by = $3, decided_at = $4, reason = $5
where proposal_id = $1 and state = 'proposed' returning true
"""
ASK = """
insert into access.correction (psn_no, correction_id, admdvs, field, old_value, new_value, reason, evidence, state,
    made_by, made_at)
values ($1, $2, $3, $4, $5, $6, $7, $8, 'asked', $9, $10)
on conflict (psn_no, field) where state = 'asked' do nothing returning true
"""
ANSWER = """
update access.correction set state = $3, decided_by = $4, decided_at = $5, answer = $6
where psn_no = $1 and correction_id = $2 and state = 'asked'
"""


async def keep_agent(tx: Connection, agent: Agent) -> bool:
    """Add an agent or change one of the same region; False if the login belongs to another region."""
    kept = await tx.fetchval(
        KEEP_AGENT, agent.login, agent.admdvs, agent.name, list(agent.regions), agent.division, list(agent.roles),
        agent.created_at, agent.created_by, agent.disabled_at, agent.fixmedins_code,
    )
    return kept is not None


async def add_key(tx: Connection, key: ApiKey, *, digest: bytes) -> None:
    """Add a key under the digest of its secret."""
    await tx.execute(
        ADD_KEY, key.key_id, key.admdvs, key.login, key.title, list(key.scopes), key.rate_per_minute, key.created_at,
        key.created_by, key.expires_at, digest,
    )


async def revoke_key(tx: Connection, key_id: str, *, by: str, now: datetime) -> bool:
    """Revoke a key; False if it was revoked before."""
    return await tx.fetchval(REVOKE, key_id, now, by) is not None


async def add_proposal(tx: Connection, proposal: Proposal) -> None:
    """Keep a sensitive deed until a second person decides."""
    await tx.execute(
        PROPOSE, proposal.proposal_id, proposal.admdvs, proposal.division, proposal.verb, proposal.operation,
        proposal.psn_no, msgspec.json.encode(proposal.parameters).decode(),
        None if proposal.body is None else msgspec.json.encode(proposal.body).decode(), proposal.made_by,
        proposal.made_at,
    )


async def decide_proposal(
    tx: Connection, proposal_id: str, *, state: str, by: str, reason: str, now: datetime
) -> bool:
    """Note how a proposal ended; False if it had ended before."""
    return await tx.fetchval(DECIDE, proposal_id, state, by, now, reason) is not None


async def add_correction(tx: Connection, correction: Correction) -> bool:
    """Keep a request to correct; False if one for the same field is still open."""
    c = correction
    return await tx.fetchval(
        ASK, c.psn_no, c.correction_id, c.admdvs, c.field, c.old_value, c.new_value, c.reason, c.evidence, c.made_by,
        c.made_at,
    ) is not None


async def answer_correction(
    tx: Connection, correction: Correction, *, state: str, by: str, answer: str, now: datetime
) -> None:
    """Note how a request to correct ended."""
    await tx.execute(ANSWER, correction.psn_no, correction.correction_id, state, by, now, answer)
