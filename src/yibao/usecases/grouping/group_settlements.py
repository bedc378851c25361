"""Groups the settled stays of some days from their settlement lists, and says what each is worth."""

from __future__ import annotations

from datetime import date, datetime

import msgspec

from yibao.domains.grouping.model import Result, SettledStay
from yibao.domains.grouping.operations import drop_results, put_results, take_region
from yibao.domains.grouping.queries import is_closed, list_stays
from yibao.domains.records.model import GroupingFacts
from yibao.domains.records.operations import mark_lists
from yibao.domains.records.queries import list_cases
from yibao.infra import audit
from yibao.infra.database import Connection
from yibao.infra.digest import sm3
from yibao.kernel.ids import Ids
from yibao.kernel.refusal import Refusal, refuse
from yibao.policy.grouping.case import GroupingCase
from yibao.policy.grouping.grouper import GROUPED, group_case
from yibao.policy.grouping.reading import read_case
from yibao.policy.grouping.scheme import Scheme
from yibao.policy.grouping.wording import diagnosis_text, procedure_text, why
from yibao.policy.payment.packets import find_packet, treatment_of
from yibao.policy.payment.standards import price_stay
from yibao.policy.payment.terms import DIP, Pool, Terms
from yibao.usecases.grouping.open_scheme import open_scheme
from yibao.usecases.grouping.open_terms import packets_of
from yibao.usecases.grouping.paid_stays import (
    GroupOfStay,
    instant,
    paid_stay,
    pool_of_stay,
    settled_on,
    terms_of,
)

NO_PACKET = "NO_PACKET"
_TREATMENTS = {"conservative": "保守治疗", "procedure": "操作治疗", "operation": "手术治疗"}


class GroupedDays(msgspec.Struct, frozen=True):
    """What came of grouping some days.

    Attributes:
        stays: settlements in force that are paid by group; grouped, ungrouped: those with a list.
        without_list: settlements whose list is not accepted yet; closed: settlements of a year that is closed.
    """

    admdvs: str
    begin_on: date
    end_before: date
    stays: int
    grouped: int
    ungrouped: int
    without_list: tuple[str, ...]
    closed: int
    results: tuple[Result, ...]


async def group_settlements(
    tx: Connection, *, admdvs: str, begin_on: date, end_before: date, operator: str, now: datetime, ids: Ids
) -> GroupedDays | Refusal:
    """Group every stay settled in ``[begin_on, end_before)`` whose list the agency has accepted.

    Asked again, lists that were grouped are grouped anew, so that a corrected list or table counts; a year whose
    closing was approved stays as it is.
    """
    terms = terms_of(admdvs)
    if isinstance(terms, Refusal):
        return terms
    if not operator.strip():
        return refuse("OPERATOR_MISSING", "没有说明由谁经办", remedy="请写明经办人姓名")
    if begin_on >= end_before:
        return refuse("PERIOD_REVERSED", "起止日期颠倒", remedy="请核对日期")
    await take_region(tx, admdvs)
    begin, end = instant(begin_on), instant(end_before)
    lists = {facts.case: facts for facts in await list_cases(tx, admdvs, begin, end)}
    paid = [
        (stay, pool) for stay in await list_stays(tx, admdvs=admdvs, begin=begin, end=end)
        if (pool := pool_of_stay(stay, terms)) is not None
    ]
    years = {(pool.year, pool.fund_type) for _, pool in paid}
    closed = {key for key in years if await is_closed(tx, admdvs=admdvs, year=key[0], fund_type=key[1])}
    open_stays = [(stay, pool) for stay, pool in paid if (pool.year, pool.fund_type) not in closed]
    results = [
        result_of(stay, pool, lists[stay.setl_id], terms=terms, now=now)
        for stay, pool in open_stays if stay.setl_id in lists
    ]
    without = tuple(stay.setl_id for stay, _ in open_stays if stay.setl_id not in lists)
    await put_results(tx, results)
    await drop_results(tx, admdvs=admdvs, setl_ids=without)  # their list was returned since
    await mark_lists(tx, [r.setl_id for r in results if r.state == GROUPED], verb="group", at=now, actor=operator)
    digest = sm3("".join(f"{r.setl_id} {r.code} {r.due_fen}\n" for r in results).encode())
    await audit.write(
        tx, entry_id=ids.new(now), at=now, actor=operator, sender="agency", channel="cli", verb="group_settlements",
        object_id=f"{admdvs}:{begin_on}:{end_before}", admdvs=admdvs, digest=digest,
    )
    grouped = sum(r.state == GROUPED for r in results)
    return GroupedDays(
        admdvs, begin_on, end_before, len(paid), grouped, len(results) - grouped,
        without, len(paid) - len(open_stays), tuple(results),
    )


def result_of(stay: SettledStay, pool: Pool, facts: GroupingFacts, *, terms: Terms, now: datetime) -> Result:
    """Return the group of a settled stay and what it is worth at the budget's value of a point."""
    scheme = open_scheme()
    case = GroupingCase(
        case=facts.case, gend=facts.gend, age=facts.age, age_days=facts.age_days,
        birth_weight_g=facts.birth_weight_g, los_days=facts.los_days, dscg_way=facts.dscg_way,
        dx_codes=facts.dx_codes, op_codes=facts.op_codes,
    )
    said, group = (_packet if pool.method == DIP else _drg)(case, stay, scheme)
    pay = price_stay(paid_stay(stay, pool, group), pool, terms)
    return Result(
        psn_no=stay.psn_no, setl_id=stay.setl_id, admdvs=stay.admdvs, fixmedins_code=stay.fixmedins_code,
        method=pool.method, state=said.state, mdc=said.mdc, adrg=said.adrg, code=said.code, name=said.name,
        complication=said.complication, why=list(said.why), dx_codes=[group.main, *said.others] if group.main else [],
        op_codes=list(group.procedures),
        los_days=facts.los_days, cost_fen=stay.medfee_fen, kind=pay.kind, weight_e4=pay.weight_e4, points_e4=pay.points_e4,
        standard_fen=pay.standard_fen, due_fen=pay.due_fen, reason=pay.reason, grouped_at=now,
        scheme=scheme.code if pool.method != DIP else DIP,
    )


class _Said(msgspec.Struct, frozen=True, kw_only=True):
    """What a grouper says of a case; ``others`` are the diagnoses beside the main one."""

    state: str
    mdc: str = ""
    adrg: str = ""
    code: str = ""
    name: str = ""
    complication: str = ""
    why: tuple[str, ...]
    others: tuple[str, ...]


def _drg(case: GroupingCase, _stay: SettledStay, scheme: Scheme) -> tuple[_Said, GroupOfStay]:
    grouped = group_case(case, scheme)
    counted = {c.kind for c in grouped.complications if not c.is_excluded}
    code = grouped.group.code if grouped.group else ""
    said = _Said(
        state=grouped.state, mdc=grouped.category.code if grouped.category else "",
        adrg=grouped.core.code if grouped.core else "", code=code, name=grouped.group.name if grouped.group else "",
        complication=next((kind for kind in ("mcc", "cc") if kind in counted), ""), why=why(grouped, scheme),
        others=grouped.facts.diagnoses[1:],
    )
    return said, GroupOfStay(code, None, grouped.facts.main, grouped.facts.procedures, case.los_days or 0)


def _packet(case: GroupingCase, stay: SettledStay, scheme: Scheme) -> tuple[_Said, GroupOfStay]:
    read = read_case(case, scheme)
    facts = read.facts
    packet = find_packet(facts, packets_of(stay.admdvs, settled_on(stay).year, stay.insutype))
    treatment = _TREATMENTS[treatment_of(facts)]
    seen = f"主要诊断{diagnosis_text(facts.main, scheme)}，{treatment}"
    if facts.procedures:
        seen += f"（{'、'.join(procedure_text(code, scheme) for code in facts.procedures)}）"
    found = (
        f"入病种{packet.code} {packet.name}（病种表：诊断{packet.diagnosis}，{'+'.join(packet.procedures) or treatment}）"
        if packet else "病种表中没有这个诊断和治疗方式的病种，未入组"
    )
    said = _Said(
        state=GROUPED if packet else NO_PACKET, code=packet.code if packet else "", name=packet.name if packet else "",
        why=(*read.notes, seen, found), others=facts.diagnoses[1:],
    )
    return said, GroupOfStay("", packet, facts.main, facts.procedures, case.los_days or 0)
