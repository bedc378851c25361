"""Who asks, and may they: the key, the roles of the verb, and how often."""

from __future__ import annotations

import time
from collections import OrderedDict
from typing import Any

from litestar.connection import ASGIConnection

from yibao.domains.access.agents_model import Bearer
from yibao.domains.access.agents_queries import find_bearer
from yibao.domains.access.agents_rules import opens, read_key
from yibao.domains.access.verbs import Verb, verbs
from yibao.entrypoints.api.problems import Refused, refused
from yibao.entrypoints.api.routing import Route
from yibao.entrypoints.api.services import ApiServices
from yibao.kernel.actor import Actor

CHANNEL = "api"
AnyConnection = ASGIConnection[Any, Any, Any, Any]
_STRANGER_PER_MINUTE = 600
_KNOWN_MAX = 10_000
_CHALLENGE = {"www-authenticate": 'Bearer realm="yibao"'}


class Allowance:
    """So many requests a minute for each who asks, saved up for at most one minute.

    Each server process counts for itself: an operator who wants one count for all sets a limit in front.
    """

    def __init__(self) -> None:
        self._left: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def take(self, who: str, *, per_minute: int, at_s: float) -> float:
        """Take one request and return 0, or the seconds to wait when none is left."""
        left, since = self._left.pop(who, (float(per_minute), at_s))
        left = min(float(per_minute), left + (at_s - since) * per_minute / 60)
        allowed = left >= 1
        self._left[who] = (left - 1 if allowed else left, at_s)
        if len(self._left) > _KNOWN_MAX:
            self._left.popitem(last=False)
        return 0.0 if allowed else (1 - left) * 60 / per_minute


class Authority:
    """Guards every operation before anything of its request is read."""

    def __init__(self, services: ApiServices) -> None:
        self._services = services
        self._allowance = Allowance()

    async def authorize(self, connection: AnyConnection, route: Route) -> Actor:
        """Return who asks.

        Raises:
            Refused: 401 without a key that opens, 403 without the role, 429 when asked too often. The role is looked at
                before the object, so that nobody learns from it what exists.
        """
        if not route.verb:
            self._count(f"stranger:{_peer(connection)}", _STRANGER_PER_MINUTE)
            return Actor(login="", channel=CHANNEL, sender="stranger", regions=self._services.region_codes)
        bearer = await self._bearer(connection)
        self._count(bearer.key_id, bearer.rate_per_minute)
        actor = Actor(
            login=bearer.login, channel=CHANNEL, sender=f"key:{bearer.key_id}", regions=tuple(sorted(bearer.regions)),
            roles=tuple(r for r in bearer.roles if r in bearer.scopes), division=bearer.division,
            fixmedins_code=bearer.fixmedins_code,
        )
        self._require(actor, verbs()[route.verb])
        return actor

    def _require(self, actor: Actor, verb: Verb) -> None:
        if not set(verb.roles) & set(actor.roles):
            raise refused(403, "ROLE_MISSING", f"您的岗位不能办理“{verb.title}”", remedy="请由有此岗位的人员办理")
        if verb.object == "region" and actor.division:
            raise refused(403, "DIVISION_NOT_YOURS", f"“{verb.title}”须由统筹区经办机构办理", remedy="请报上级经办机构")

    async def _bearer(self, connection: AnyConnection) -> Bearer:
        scheme, _, text = connection.headers.get("authorization", "").partition(" ")
        shown = read_key(text.strip()) if scheme.lower() == "bearer" else None
        if shown is None:
            raise self._unknown(connection)
        key_id, secret = shown
        async with self._services.database.transaction(regions=self._services.region_codes) as tx:
            bearer = await find_bearer(tx, key_id)
        if bearer is None or not opens(bearer, secret, now=self._services.clock.now()):
            raise self._unknown(connection)
        return bearer

    def _unknown(self, connection: AnyConnection) -> Refused:
        # Unknown, wrong, expired and revoked keys get the same answer.
        self._count(f"unknown:{_peer(connection)}", _STRANGER_PER_MINUTE)
        return refused(
            401, "KEY_NOT_VALID", "没有密钥，或密钥不正确、已过期、已撤销", headers=_CHALLENGE,
            remedy="请以 Authorization: Bearer 携带有效密钥",
        )

    def _count(self, who: str, per_minute: int) -> None:
        wait_s = self._allowance.take(who, per_minute=per_minute, at_s=time.monotonic())
        if wait_s:
            raise refused(429, "TOO_MANY_REQUESTS", f"每分钟最多 {per_minute} 次请求", remedy="请稍后再试",
                          headers={"retry-after": str(int(wait_s) + 1)})


def _peer(connection: AnyConnection) -> str:
    return connection.client.host if connection.client else ""
