"""Who one is, who may do what, agents and keys, what waits for a second person, and the trail of what was done."""

from __future__ import annotations

import secrets
from datetime import date, datetime, timedelta
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from yibao.domains.access import agents_queries
from yibao.domains.access.agents_model import Agent, ApiKey
from yibao.domains.access.verbs import Verb, verbs
from yibao.entrypoints.api.fields import Id, Limit
from yibao.entrypoints.api.routing import deed, read
from yibao.entrypoints.api.services import Call
from yibao.kernel.business_time import SHANGHAI
from yibao.kernel.refusal import Refusal
from yibao.usecases.access.issue_key import IssuedKey, KeyForm, issue_key, revoke_key
from yibao.usecases.access.keep_agent import AgentForm, keep_agent
from yibao.usecases.access.read_trail import TrailEntry, read_trail

MaybeLogin = Annotated[str, Meta(max_length=40, pattern=r"^[a-z0-9._-]*$", description="登录名，空为全部")]


class Self(msgspec.Struct, frozen=True, kw_only=True):
    """Who asks, as the API knows it."""

    login: str
    roles: tuple[str, ...]
    regions: dict[str, str]
    division: str


class Verbs(msgspec.Struct, frozen=True):
    """What anybody may do, by verb."""

    rows: list[Verb]


class Agents(msgspec.Struct, frozen=True):
    """Agents by region and login."""

    rows: list[Agent]


class Keys(msgspec.Struct, frozen=True):
    """Keys, the oldest first; never their secrets."""

    rows: list[ApiKey]


class Trail(msgspec.Struct, frozen=True):
    """What was done, the newest first."""

    rows: list[TrailEntry]


@read("/me", verb="show_self")
async def show_self(call: Call) -> Self:
    """Answer who asks: roles, regions with their names, division."""
    regions = {code: call.services.regions.get(code, code) for code in call.actor.regions}
    return Self(login=call.actor.login, roles=call.actor.roles, regions=regions, division=call.actor.division)


@read("/verbs", verb="list_verbs")
async def list_verbs(_call: Call) -> Verbs:
    """List which role may do what, and where a second person is needed."""
    return Verbs(list(verbs().values()))


@read("/agents", verb="list_agents")
async def list_agents(call: Call, limit: Limit = 100) -> Agents:
    """List the agents of the region with their roles."""
    return Agents(await agents_queries.list_agents(call.tx, most=limit))


@deed("/agents", verb="keep_agent")
async def put_agent(call: Call, data: AgentForm) -> Agent | Refusal:
    """Add an agent, or change the one with this login; preparing and deciding are never in one hand."""
    return await keep_agent(call.tx, data, actor=call.actor, now=call.now, ids=call.ids)


@read("/keys", verb="list_keys")
async def list_keys(call: Call, login: MaybeLogin = "", limit: Limit = 100) -> Keys:
    """List keys with scopes, expiry and who revoked them."""
    return Keys(await agents_queries.list_keys(call.tx, login=login, most=limit))


@deed("/keys", verb="issue_key", status=201, kept=lambda issued: msgspec.structs.replace(issued, key=""))
async def add_key(call: Call, data: KeyForm) -> IssuedKey | Refusal:
    """Issue a key: its secret is in this answer and nowhere else; a repeat gets the answer without it."""
    return await issue_key(
        call.tx, data, secret=secrets.token_urlsafe(32), actor=call.actor, now=call.now, ids=call.ids
    )


@deed("/keys/{key_id}/revoke", verb="revoke_key")
async def end_key(call: Call, key_id: Id) -> ApiKey | Refusal:
    """Revoke a key: it opens nothing from the next request on."""
    return await revoke_key(call.tx, key_id, actor=call.actor, now=call.now, ids=call.ids)


@read("/trail", verb="read_trail")
async def show_trail(
    call: Call, since: date, until: date | None = None, actor: Annotated[str, Meta(max_length=60)] = "",
    verb: Annotated[str, Meta(max_length=60)] = "", thing: Annotated[str, Meta(max_length=80)] = "",
    channel: Literal["", "api", "cli", "gateway", "portal", "worker", "exchange"] = "", limit: Limit = 100,
) -> Trail:
    """List audit rows of a span of days: who did what to which object, by which way in.

    ``since`` and ``until`` are days of business time; ``until`` is not in the span and is the day after ``since`` if absent.
    """
    begin, end = _midnight(since), _midnight(until or since + timedelta(days=1))
    return Trail(await read_trail(
        call.tx, since=begin, until=end, actor=actor, verb=verb, object_id=thing, channel=channel, most=limit
    ))


def _midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=SHANGHAI)


ROUTES = (show_self, list_verbs, list_agents, put_agent, list_keys, add_key, end_key, show_trail)
