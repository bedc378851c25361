"""Reads of messages, subscriptions, kept texts and bulletins."""

from __future__ import annotations

from datetime import date
from typing import Any

import asyncpg
import msgspec

from yibao.domains.notices.model import Bulletin, Subscription, Told
from yibao.infra.database import Connection

_TOLD = "select " + ", ".join(f.name for f in msgspec.structs.fields(Told))
OF_PERSON = f"{_TOLD} from notices.message where psn_no = $1 order by told_at desc, serial desc limit $2"
OF_EMPLOYER = f"{_TOLD} from notices.message where emp_no = $1 and emp_no <> '' order by told_at desc, serial desc limit $2"
OF_INSTITUTION = f"""
{_TOLD} from notices.message where fixmedins_code = $1 and fixmedins_code <> '' order by told_at desc, serial desc limit $2
"""
TOLD_OF_PLAN = "select psn_no, message_id from notices.message where admdvs = $1 and plan = $2"
TOLD_BEFORE = """
select psn_no, emp_no, fixmedins_code, array_agg(distinct rule order by rule) as rules from notices.message
where admdvs = $1 and plan = $2 and version < $3 and kind = 'last_call' group by psn_no, emp_no, fixmedins_code
order by psn_no, emp_no, fixmedins_code
"""
TOLD_OF_VERSION = """
select distinct psn_no, emp_no, fixmedins_code from notices.message
where admdvs = $1 and plan = $2 and version = $3 and key not like '%:withdrawn' order by psn_no, emp_no, fixmedins_code
"""
COUNTS = """
select version, kind, rule, count(*) as told, count(read_at) as read from notices.message
where admdvs = $1 and plan = $2 group by version, kind, rule order by version, kind, rule
"""
_SUBSCRIPTION = "select " + ", ".join(f.name for f in msgspec.structs.fields(Subscription))
SUBSCRIBERS = f"""
{_SUBSCRIPTION} from notices.subscription where admdvs = $1 and plan = $2 and ended_at is null order by psn_no, subscription_id
"""
SUBSCRIBED = f"""
{_SUBSCRIPTION} from notices.subscription
where psn_no = $1 and emp_no = $2 and fixmedins_code = $3 order by since desc, subscription_id
"""
SUBSCRIPTION = f"{_SUBSCRIPTION} from notices.subscription where psn_no = $1 and subscription_id = $2"
MESSAGE = "select admdvs, fixmedins_code, read_at from notices.message where psn_no = $1 and message_id = $2"
LAST_SENT = "select max(version) from notices.text_kept where admdvs = $1 and plan = $2 and version < $3"
KEPT = """
select version, text, kept_at from notices.text_kept
where admdvs = $1 and plan = $2 and view = $3 and ($4 = 0 or version = $4) order by version desc limit 1
"""
_BULLETIN = "select " + ", ".join(f.name for f in msgspec.structs.fields(Bulletin))
BULLETINS = f"{_BULLETIN} from notices.bulletin where admdvs = $1 and plan = $2 order by on_day desc limit $3"
BULLETIN = f"{_BULLETIN} from notices.bulletin where admdvs = $1 and plan = $2 and on_day = $3"


async def list_told(
    tx: Connection, *, psn_no: str = "", emp_no: str = "", fixmedins_code: str = "", most: int = 50
) -> list[Told]:
    """Return what a person, an employer or an institution was told, the newest first."""
    if psn_no:
        return [Told(**dict(row)) for row in await tx.fetch(OF_PERSON, psn_no, most)]
    if emp_no:
        return [Told(**dict(row)) for row in await tx.fetch(OF_EMPLOYER, emp_no, most)]
    return [Told(**dict(row)) for row in await tx.fetch(OF_INSTITUTION, fixmedins_code, most)]


async def told_of_plan(tx: Connection, admdvs: str, plan: str) -> set[tuple[str, str]]:
    """Return person (``""`` for others) and number of every message of a plan."""
    return {(row[0], row[1]) for row in await tx.fetch(TOLD_OF_PLAN, admdvs, plan)}


async def told_before(tx: Connection, admdvs: str, plan: str, version: int) -> list[asyncpg.Record]:
    """Return who was reminded by an earlier version of a plan, with the rules."""
    return await tx.fetch(TOLD_BEFORE, admdvs, plan, version)


async def told_of_version(tx: Connection, admdvs: str, plan: str, version: int) -> list[asyncpg.Record]:
    """Return who was told anything of a version of a plan."""
    return await tx.fetch(TOLD_OF_VERSION, admdvs, plan, version)


async def count_told(tx: Connection, admdvs: str, plan: str) -> list[dict[str, Any]]:
    """Return how many messages of a plan were sent and read, by version, kind and rule."""
    return [dict(row) for row in await tx.fetch(COUNTS, admdvs, plan)]


async def list_subscribers(tx: Connection, admdvs: str, plan: str) -> list[Subscription]:
    """Return the live subscriptions of a plan."""
    return [Subscription(**dict(row)) for row in await tx.fetch(SUBSCRIBERS, admdvs, plan)]


async def list_subscriptions(
    tx: Connection, *, psn_no: str = "", emp_no: str = "", fixmedins_code: str = ""
) -> list[Subscription]:
    """Return the subscriptions of one, the newest first."""
    return [Subscription(**dict(row)) for row in await tx.fetch(SUBSCRIBED, psn_no, emp_no, fixmedins_code)]


async def find_subscription(tx: Connection, psn_no: str, subscription_id: str) -> Subscription | None:
    """Return a subscription; ``psn_no`` is ``""`` for one of an employer or institution."""
    row = await tx.fetchrow(SUBSCRIPTION, psn_no, subscription_id)
    return None if row is None else Subscription(**dict(row))


async def find_message(tx: Connection, psn_no: str, message_id: str) -> asyncpg.Record | None:
    """Return region, institution and reading of a message."""
    return await tx.fetchrow(MESSAGE, psn_no, message_id)


async def last_sent(tx: Connection, admdvs: str, plan: str, *, before: int) -> int | None:
    """Return the last version before another of which anything was sent; None if there is none."""
    version: int | None = await tx.fetchval(LAST_SENT, admdvs, plan, before)
    return version


async def find_kept(
    tx: Connection, *, admdvs: str, plan: str, view: str, version: int = 0
) -> asyncpg.Record | None:
    """Return a text as it was published, of a version or of the newest that was (0)."""
    return await tx.fetchrow(KEPT, admdvs, plan, view, version)


async def list_bulletins(tx: Connection, admdvs: str, plan: str, *, most: int = 100) -> list[Bulletin]:
    """Return the bulletins of a plan, the newest first."""
    return [Bulletin(**dict(row)) for row in await tx.fetch(BULLETINS, admdvs, plan, most)]


async def find_bulletin(tx: Connection, admdvs: str, plan: str, on_day: date) -> Bulletin | None:
    """Return the bulletin of a day."""
    row = await tx.fetchrow(BULLETIN, admdvs, plan, on_day)
    return None if row is None else Bulletin(**dict(row))
