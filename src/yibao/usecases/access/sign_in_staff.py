"""A member of staff logs in."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime

from yibao.domains.access import operations, passwords, rules
from yibao.domains.access.model import Staff
from yibao.infra import audit
from yibao.infra.database import Database
from yibao.infra.digest import sm3
from yibao.kernel.ids import Ids
from yibao.kernel.refusal import Refusal, refuse

_HASHING = ThreadPoolExecutor(max_workers=2, thread_name_prefix="password")
"""Argon2 takes 64 MiB and a core; more than two at once would let strangers empty the machine."""


async def sign_in_staff(
    database: Database, *, login: str, password: str, token: str, replaced: str, regions: tuple[str, ...],
    now: datetime, ids: Ids,
) -> Staff | Refusal:
    """Check a password and open a session under ``token``.

    Unknown, disabled and locked accounts get the same answer after the same work as a wrong password.
    Two transactions on purpose: the attempt is counted and committed before the slow check begins.

    Args:
        token: the new session's secret, made by the caller.
        replaced: token of the session that the browser had until now, ended with the log-in; ``""`` if none.
        regions: the regions of this deployment, in one of which the account lives.
    """
    if not login or not password or len(login) > 64 or len(password) > passwords.LENGTH_MAX:
        return _refused()
    async with database.transaction(regions=regions) as tx:
        staff = await operations.reserve_attempt(tx, login=login, now=now)
    right = await asyncio.get_running_loop().run_in_executor(_HASHING, _check, staff, password)
    if staff is None or not right:
        return _refused()
    async with database.transaction(regions=(staff.admdvs,)) as tx:
        await operations.forget_failures(tx, staff.login)
        if replaced:
            await operations.end_session(tx, token=replaced, now=now)
        await operations.open_session(tx, token=token, staff=staff, now=now)
        await audit.write(
            tx, entry_id=ids.new(now), at=now, actor=staff.login, sender=staff.fixmedins_code, channel="portal",
            verb="sign_in_staff", object_id=staff.login, admdvs=staff.admdvs, digest=sm3(token.encode()),
        )
    return staff


def _check(staff: Staff | None, password: str) -> bool:
    return passwords.matches(staff.password_hash if staff else passwords.decoy_hash(), password)


def _refused() -> Refusal:
    minutes = int(rules.LOCK.total_seconds()) // 60
    return refuse(
        "SIGN_IN_REFUSED", "用户名或密码不正确，或账号暂时不可用",
        remedy=f"请核对后重试；连续输错{rules.ATTEMPTS}次，账号锁定{minutes}分钟",
    )
