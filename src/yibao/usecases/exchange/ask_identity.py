"""Ask the police whether a number and a name are one person's; what does not agree comes back as a case."""

from __future__ import annotations

from datetime import datetime

import msgspec

from yibao.domains.people.queries import find_person
from yibao.infra.database import Connection
from yibao.kernel.actor import Actor
from yibao.kernel.business_time import business_date
from yibao.kernel.ids import Ids
from yibao.kernel.refusal import Refusal, refuse
from yibao.usecases.exchange.put_out import put_out
from yibao.usecases.trail import write_trail

POLICE, IDENTITY_CARD = "police", "01"


class IdentityAsked(msgspec.Struct, frozen=True):
    """A question to the police; ``is_new`` False: it was asked today already."""

    check_id: str
    psn_no: str
    is_new: bool


async def ask_identity(tx: Connection, *, psn_no: str, actor: Actor, now: datetime, ids: Ids) -> IdentityAsked | Refusal:
    """Ask about a person with an identity card, at most once a day."""
    person = await find_person(tx, psn_no)
    if person is None:
        return refuse("PERSON_NOT_FOUND", "没有该人员编号的参保人", field="psn_no", received=psn_no, remedy="请核对人员编号")
    if person["cert_type"] != IDENTITY_CARD:
        return refuse("IDENTITY_NOT_ASKED", "公安只核验居民身份证", field="psn_no", received=person["cert_type"],
                      remedy="其他证件请人工核对原件")
    check_id = f"{psn_no}-{business_date(now):%Y%m%d}"
    is_new = await put_out(
        tx, party=POLICE, kind="identity_check", key=check_id, admdvs=person["admdvs"], now=now, ids=ids,
        body={"check_id": check_id, "certno": person["certno"], "name": person["name"], "admdvs": person["admdvs"]},
    )
    asked = IdentityAsked(check_id, psn_no, is_new)
    if is_new:
        await write_trail(tx, actor, verb="ask_identity", object_id=psn_no, admdvs=person["admdvs"], state=asked, now=now,
                          ids=ids)
    return asked
