"""Somebody without an employer enrols with the employees and pays alone."""

from __future__ import annotations

from datetime import datetime

from yibao.domains.enrolment.model import EMPLOYEE
from yibao.domains.enrolment.months import month_after
from yibao.infra.database import Connection
from yibao.kernel.actor import Actor
from yibao.kernel.business_time import business_date
from yibao.kernel.ids import Ids
from yibao.kernel.refusal import refuse
from yibao.usecases.enrolment.add_member import ACCOUNT_KINDS, refuse_negative_wage
from yibao.usecases.enrolment.commands import EnrolFlexible
from yibao.usecases.enrolment.finding import refuse_outside
from yibao.usecases.enrolment.joining import Answer, begin_one
from yibao.usecases.enrolment.judging import Wish
from yibao.usecases.settlement.shelf import PolicyShelf


async def enrol_flexible(
    tx: Connection, command: EnrolFlexible, *, actor: Actor, now: datetime, ids: Ids, shelf: PolicyShelf
) -> Answer:
    """Enrol a flexible worker; who is insured through an employer must have left it first."""
    division = command.division or actor.division
    refusal = refuse_outside(actor, admdvs=command.admdvs, division=division, field="admdvs")
    refusal = refusal or refuse_negative_wage(command.wage_fen)
    if refusal is not None:
        return refusal
    if command.account_kind not in ACCOUNT_KINDS:
        return refuse("ACCOUNT_KIND_UNKNOWN", "账户类型须为with_account或pool_only", field="account_kind",
                      received=command.account_kind, remedy="请更正")
    wish = Wish(
        name=command.name, certno=command.certno, cert_type=command.cert_type, sex=command.sex, birth_on=command.birth_on,
        nation=command.nation, phone=command.phone, division=division, insutype=EMPLOYEE, psn_type="1101",
        enrolment_kind="flexible", account_kind=command.account_kind, flexible=True, insured_on=command.insured_on,
        wage_fen=command.wage_fen, cause="flexible", latest=month_after(business_date(now)), evidence=command.evidence,
    )
    return await begin_one(tx, wish, admdvs=command.admdvs, verb="enrol_flexible", actor=actor, now=now, ids=ids, shelf=shelf)
