"""Who a filing is for: an enrolled person of the region, kept until the transaction ends."""

from __future__ import annotations

from datetime import date, datetime

import asyncpg
import msgspec

from yibao.domains.applications.operations import lock_person
from yibao.domains.deadlines.queries import open_transits
from yibao.domains.enrolment.queries import list_relations
from yibao.domains.institutions.model import HOSPITAL, Institution
from yibao.domains.people.queries import find_person
from yibao.infra.database import Connection
from yibao.kernel.refusal import Fault, Refusal, refuse

EMPLOYEE = "310"


class Operator(msgspec.Struct, frozen=True):
    """Who files: ``filed_by`` is the institution; ``""`` stands for the agency of the insured region."""

    filed_by: str
    code: str
    name: str


class Insured(msgspec.Struct, frozen=True):
    """The person and the enrolment relation whose region's law decides."""

    person: asyncpg.Record
    relation: asyncpg.Record

    @property
    def admdvs(self) -> str:
        """Return the insured region."""
        return str(self.relation["admdvs"])

    @property
    def insutype(self) -> str:
        """Return the insurance of the relation."""
        return str(self.relation["insutype"])


async def insured_person(
    tx: Connection, psn_no: str, *, insutype: str = "", on: date, field: str = "data"
) -> Insured | Refusal:
    """Return the person with the relation that counts on a day, the employee insurance first where none is named.

    The person stays locked until the transaction ends. Refuses somebody unknown, dead, or not enrolled.
    """
    await lock_person(tx, psn_no)
    person = await find_person(tx, psn_no)
    if person is None:
        return refuse("PERSON_NOT_FOUND", "没有该人员编号的参保人", field=f"{field}.psn_no", received=psn_no,
                      remedy="请用1101查询人员编号")
    if person["died_on"] is not None and person["died_on"] < on:
        return refuse("PERSON_DEAD", f"参保人已于{person['died_on']}死亡", field=f"{field}.psn_no", received=psn_no,
                      remedy="请核对参保人身份")
    begun = [r for r in await list_relations(tx, psn_no) if r["insured_on"] <= on and insutype in ("", r["insutype"])]
    relations = [r for r in begun if r["benefit_to"] is None or r["benefit_to"] > on]
    if not relations and begun:
        # Whose dues are on their way is insured: nothing is cut, whatever the benefits look like meanwhile.
        waiting = {t.insutype for t in await open_transits(tx, psn_no)}
        relations = [r for r in begun if r["insutype"] in waiting and r["paused_on"] is None]
    relations.sort(key=lambda r: r["insutype"] != EMPLOYEE)
    if not relations:
        return refuse("NOT_ENROLLED", "参保人没有该险种的有效参保关系", field=f"{field}.insutype", received=insutype,
                      remedy="请用1101查询参保险种")
    return Insured(person, relations[0])


def institution_faults(institution: Institution, insured: Insured, *, field: str) -> list[Fault]:
    """Return why an institution cannot file for a person: a pharmacy, or of another region."""
    faults = []
    if institution.kind != HOSPITAL:
        faults.append(Fault("NOT_A_HOSPITAL", "该项备案只由定点医疗机构办理，定点零售药店不能办理", "fixmedins_code",
                            institution.fixmedins_code, "请到定点医疗机构办理"))
    if insured.admdvs != institution.region:
        faults.append(Fault("REMOTE_FILING_NOT_OFFERED",
                            f"参保人参保地是{insured.admdvs}，不属本机构所在统筹区{institution.region}，异地备案尚未开通",
                            f"{field}.psn_no", insured.person["psn_no"], "请到参保地办理"))
    return faults


def period_faults(begin: date, end: date | None, *, field: str) -> list[Fault]:
    """Return what is wrong with a period given by its first and its last day."""
    if end is not None and end < begin:
        return [Fault("PERIOD_REVERSED", f"结束日期早于开始日期{begin}", f"{field}.enddate", f"{end}",
                      "请核对开始日期和结束日期")]
    return []


def place_faults(place: str, insured: Insured, *, field: str) -> list[Fault]:
    """Return a fault where the insured place that is named is another one than the person's."""
    if place and place[:4] != insured.admdvs[:4]:
        return [Fault("INSURED_PLACE_DIFFERS", f"参保人的参保地是{insured.admdvs}", field, place,
                      "请按1101返回的参保地医保区划填写")]
    return []


def not_found(filing_id: str) -> Refusal:
    """Return the refusal of a filing that the person does not have."""
    return refuse("FILING_NOT_FOUND", "没有该参保人的这条备案", field="data.trt_dcla_detl_sn", received=filing_id,
                  remedy="请核对人员编号与待遇申报明细流水号是否来自同一次备案")


def foreign_or_cancelled(
    filing_id: str, *, filed_by: str, is_cancelled: bool, by: str
) -> Refusal | None:
    """Refuse to cancel what another one filed, or what is cancelled already."""
    if filed_by != by:
        return refuse("FILING_ELSEWHERE", "这条备案不是本机构办理的", field="data.trt_dcla_detl_sn",
                      received=filing_id, remedy="请由办理备案的机构或参保地经办机构撤销")
    if is_cancelled:
        return refuse("FILING_CANCELLED", "这条备案已经撤销", field="data.trt_dcla_detl_sn", received=filing_id,
                      remedy="如需恢复请重新备案")
    return None


def in_use(setl_id: str, *, filing_id: str) -> Refusal:
    """Return the refusal to cancel a filing that a settlement rests on."""
    return refuse("FILING_IN_USE", f"已有结算（结算ID {setl_id}）用到这条备案，不能撤销", field="data.trt_dcla_detl_sn",
                  received=filing_id, remedy="请先撤销该结算")


class Cancelling(msgspec.Struct, frozen=True):
    """What is to be cancelled, by whom and why."""

    psn_no: str
    filing_id: str
    by: str
    reason: str
    at: datetime
