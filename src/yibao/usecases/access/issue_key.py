"""An administrator gives an agent a key: its secret is shown once and never stored."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Annotated

import msgspec
from msgspec import Meta

from yibao.domains.access import agents_operations, agents_queries
from yibao.domains.access.agents_model import ApiKey
from yibao.domains.access.agents_rules import (
    INSTITUTION,
    KEY_LIFE_MAX,
    RATE_PER_MINUTE,
    RATE_PER_MINUTE_MAX,
    key_text,
    secret_digest,
)
from yibao.domains.institutions import queries as institutions
from yibao.infra.database import Connection
from yibao.kernel.actor import Actor
from yibao.kernel.ids import Ids
from yibao.kernel.refusal import Fault, Refusal, refuse
from yibao.usecases.access.keep_agent import AgentForm, Login, keep_agent
from yibao.usecases.trail import write_trail


class KeyForm(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A key as an administrator asks for it.

    Attributes:
        scopes: roles the key may use; empty means all its agent has.
        days: how long it opens something.
    """

    login: Login
    title: Annotated[str, Meta(min_length=1, max_length=80)]
    scopes: Annotated[tuple[str, ...], Meta(max_length=7)] = ()
    days: Annotated[int, Meta(ge=1, le=KEY_LIFE_MAX.days)] = 90
    rate_per_minute: Annotated[int, Meta(ge=1, le=RATE_PER_MINUTE_MAX)] = RATE_PER_MINUTE


class IssuedKey(msgspec.Struct, frozen=True, kw_only=True):
    """A new key. ``key`` is what requests carry; it is told now and never again, not even to a repeat."""

    key_id: str
    login: str
    title: str
    scopes: tuple[str, ...]
    expires_at: datetime
    rate_per_minute: int
    key: str


async def issue_key(
    tx: Connection, form: KeyForm, *, secret: str, actor: Actor, now: datetime, ids: Ids
) -> IssuedKey | Refusal:
    """Issue a key to an agent; nobody issues one to himself.

    Args:
        secret: random text made by the caller, of 32 to 64 characters that are safe in a URL.
    """
    agent = await agents_queries.find_agent(tx, form.login)
    if agent is None:
        return refuse("AGENT_NOT_FOUND", "没有这个经办账号", field="login", received=form.login, remedy="请先登记账号")
    faults = [
        Fault("SCOPE_NOT_HELD", "密钥的岗位超出账号的岗位", "scopes", scope, f"账号的岗位：{'、'.join(agent.roles)}")
        for scope in form.scopes if scope not in agent.roles
    ]
    if agent.disabled_at is not None:
        faults.append(Fault("AGENT_DISABLED", "账号已停用", "login", form.login, "请先启用账号"))
    if form.login == actor.login:
        faults.append(
            Fault("OWN_ACCOUNT", "不得为本人签发密钥", "login", form.login, "请由另一管理人员办理", "经办岗位不相容原则")
        )
    if set(agent.regions) - set(actor.regions):
        faults.append(Fault("REGION_NOT_YOURS", "账号可办理的统筹区超出您的范围", "login", form.login, "请由所属经办机构办理"))
    if faults:
        return Refusal(tuple(faults))
    key = ApiKey(
        key_id=ids.new(now), admdvs=agent.admdvs, login=agent.login, title=form.title, scopes=form.scopes or agent.roles,
        rate_per_minute=form.rate_per_minute, created_at=now, created_by=actor.login,
        expires_at=now + timedelta(days=form.days), revoked_at=None, revoked_by="",
    )
    await agents_operations.add_key(tx, key, digest=secret_digest(secret))
    await write_trail(tx, actor, verb="issue_key", object_id=key.key_id, admdvs=key.admdvs, state=key, now=now, ids=ids)
    return IssuedKey(
        key_id=key.key_id, login=key.login, title=key.title, scopes=key.scopes, expires_at=key.expires_at,
        rate_per_minute=key.rate_per_minute, key=key_text(key.key_id, secret),
    )


async def issue_institution_key(
    tx: Connection, fixmedins_code: str, form: KeyForm, *, secret: str, actor: Actor, now: datetime, ids: Ids
) -> IssuedKey | Refusal:
    """Issue a key to an institution's program; its account is made with the first one. ``form.login`` is not looked at."""
    found = await institutions.find_institution(tx, fixmedins_code)
    if found is None:
        return refuse("INSTITUTION_NOT_FOUND", "没有该编号的定点医药机构", field="fixmedins_code",
                      received=fixmedins_code[:30], remedy="请核对机构编号")
    login = f"{fixmedins_code.lower()}.{found.region}"
    if await agents_queries.find_agent(tx, login) is None:
        agent = AgentForm(login=login, admdvs=found.region, name=found.name[:40], roles=(INSTITUTION,),
                          fixmedins_code=fixmedins_code)
        kept = await keep_agent(tx, agent, actor=actor, now=now, ids=ids)
        if isinstance(kept, Refusal):
            return kept
    return await issue_key(
        tx, msgspec.structs.replace(form, login=login), secret=secret, actor=actor, now=now, ids=ids
    )


async def revoke_key(tx: Connection, key_id: str, *, actor: Actor, now: datetime, ids: Ids) -> ApiKey | Refusal:
    """Revoke a key from the next request on; revoking it twice changes nothing."""
    if await agents_operations.revoke_key(tx, key_id, by=actor.login, now=now):
        key = await agents_queries.find_key(tx, key_id)
        assert key is not None, "it was just revoked"
        await write_trail(tx, actor, verb="revoke_key", object_id=key_id, admdvs=key.admdvs, state=key, now=now, ids=ids)
        return key
    known = await agents_queries.find_key(tx, key_id)
    if known is None:
        return refuse("KEY_NOT_FOUND", "没有这个密钥", field="key_id", received=key_id[:32], remedy="请核对密钥编号")
    return known
