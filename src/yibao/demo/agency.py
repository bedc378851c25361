"""The demo agency: one clerk per role and region, two for a county and a town, each with a key that ``demo.json`` tells.
Each institution has a program with a key as well.

Secrets follow from the seed, as the demo's passwords do: they guard invented data only.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import msgspec

from yibao.demo.chance import token
from yibao.demo.institutions import blueprints
from yibao.demo.places import Region, regions
from yibao.domains.access.agents_model import Agent, ApiKey
from yibao.domains.access.agents_operations import add_key, keep_agent
from yibao.domains.access.agents_rules import (
    INSTITUTION,
    KEY_LIFE_MAX,
    RATE_PER_MINUTE_MAX,
    ROLES,
    key_text,
    secret_digest,
)
from yibao.infra.database import Connection, Database

API_PATH = "/api/v1"
SCHEMA_PATH = "/api/schema"
DOCS_PATH = "/api/docs"
_FOUNDER = "demo"
_COUNTY, _TOWN = "county", "town"
EXTEND = "update access.api_key set expires_at = $2 where key_id = $1 and revoked_at is null and expires_at < $2"
KNOWN = "select key_id from access.api_key where key_id = any($1)"


class Clerk(msgspec.Struct, frozen=True):
    """A clerk of the demo agency, or an institution's program.

    ``post`` is the role, or ``county`` or ``town`` for one who takes papers in there, or the institution's code.
    """

    region: Region
    post: str
    roles: tuple[str, ...]
    division: str
    fixmedins_code: str = ""

    @property
    def login(self) -> str:
        """Return the login, which says post and region."""
        return f"{self.post.lower()}.{self.region.admdvs}"

    @property
    def name(self) -> str:
        """Return a name that says what the clerk does."""
        if self.fixmedins_code:
            return f"示例机构程序{self.fixmedins_code}"
        return f"示例{ROLES.get(self.post, '县级受理' if self.post == _COUNTY else '镇级受理')}员"

    def key_id(self, seed: int) -> str:
        """Return the number of the clerk's key: 24 digits from the seed."""
        return str(int(token(seed, self.login, "key"), 16))[:24]

    def secret(self, seed: int) -> str:
        """Return the secret of the clerk's key."""
        return token(seed, self.login, "secret")[:40]


def clerks() -> tuple[Clerk, ...]:
    """Return the clerks of all regions."""
    found = []
    for region in regions():
        county = sorted(region.divisions)[0]
        found += [Clerk(region, role, (role,), "") for role in ROLES if role != INSTITUTION]
        found += [Clerk(region, _COUNTY, ("intake",), county), Clerk(region, _TOWN, ("intake",), f"{county}101")]
        found += [
            Clerk(region, plan.code, (INSTITUTION,), "", plan.code)
            for plan in blueprints().institution if plan.region == region.admdvs
        ]
    return tuple(found)


async def insert_agency(tx: Connection, *, seed: int, now: datetime) -> None:
    """Insert clerks and keys that are not there yet, and lengthen the life of keys that are."""
    await insert_clerks(tx, clerks(), seed=seed, now=now)


async def insert_clerks(tx: Connection, wanted: Sequence[Clerk], *, seed: int, now: datetime) -> None:
    """Insert some clerks and programs with their keys, or lengthen the life of keys that are there."""
    until = now + KEY_LIFE_MAX - timedelta(days=1)
    known = {row["key_id"] for row in await tx.fetch(KNOWN, [c.key_id(seed) for c in wanted])}
    for clerk in wanted:
        if clerk.key_id(seed) in known:
            await tx.execute(EXTEND, clerk.key_id(seed), until)
            continue
        await keep_agent(tx, Agent(
            login=clerk.login, admdvs=clerk.region.admdvs, name=clerk.name, regions=(clerk.region.admdvs,),
            division=clerk.division, roles=clerk.roles, created_at=now, created_by=_FOUNDER, disabled_at=None,
            fixmedins_code=clerk.fixmedins_code,
        ))
        await add_key(tx, ApiKey(
            key_id=clerk.key_id(seed), admdvs=clerk.region.admdvs, login=clerk.login, title="演示", scopes=clerk.roles,
            rate_per_minute=RATE_PER_MINUTE_MAX, created_at=now, created_by=_FOUNDER, expires_at=until, revoked_at=None,
            revoked_by="",
        ), digest=secret_digest(clerk.secret(seed)))


async def describe_agency(database: Database, *, base_url: str, seed: int) -> dict[str, Any]:
    """Return what ``demo.json`` says of the agency; keys of a world that another seed built are not ours to tell."""
    known = {row["key_id"] for row in await database.fetch(KNOWN, [c.key_id(seed) for c in clerks()])}
    keys: dict[str, dict[str, Any]] = {}
    for clerk in clerks():
        if clerk.key_id(seed) in known:
            of_region = keys.setdefault(clerk.region.admdvs, {"institutions": {}})
            text = key_text(clerk.key_id(seed), clerk.secret(seed))
            if clerk.fixmedins_code:
                of_region["institutions"][clerk.post] = text
                of_region.setdefault(INSTITUTION, text)  # the first one stands for the role
            else:
                of_region[clerk.post] = text
    return {
        "api": base_url + API_PATH, "schema": base_url + SCHEMA_PATH, "docs": base_url + "/api/docs", "keys": keys,
        "divisions": {c.region.admdvs: c.division for c in clerks() if c.post == _COUNTY},
    }
