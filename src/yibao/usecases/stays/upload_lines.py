"""Upload fee lines of a stay (2301), returns among them, and withdraw unsettled ones (2302)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import date, datetime

import asyncpg

from yibao.domains.catalogue.model import ItemTerm
from yibao.domains.encounters import stays
from yibao.domains.encounters.operations import add_lines
from yibao.domains.institutions.model import Institution
from yibao.domains.institutions.staff import registered_practitioners
from yibao.infra.database import Connection
from yibao.kernel.business_time import business_date
from yibao.kernel.refusal import Fault, Refusal, refuse
from yibao.policy.law.parameters import RegionPolicy
from yibao.policy.lines import LineSplit, classify_line
from yibao.usecases.catalogue.look_up_lines import (
    LineFacts,
    LineKey,
    faults_of_lines,
    look_up_lines,
    warnings_of_lines,
)
from yibao.usecases.settlement.shelf import PolicyShelf
from yibao.usecases.stays.returns import ReturnBook
from yibao.usecases.stays.stay_of import refuse_discharged, stay_of
from yibao.usecases.visits.fee_line import LineInput, UploadedLine, amount_faults, group_of, kept_line
from yibao.usecases.visits.upload_fee_lines import KeptLines

LINES_MAX = 1000
_NODE = "feedetail"
ALL = "0000"


async def upload_stay_lines(
    tx: Connection, *, lines: Sequence[LineInput], institution: Institution, shelf: PolicyShelf, now: datetime
) -> KeptLines | Refusal:
    """Keep fee lines of an open stay in its present period, each split by catalogue and law of its own day."""
    psn_no, mdtrt_id = lines[0].psn_no, lines[0].mdtrt_id
    if len(lines) > LINES_MAX:
        return refuse("TOO_MANY_LINES", f"一次最多上传{LINES_MAX}条明细", field=_NODE, received=str(len(lines)),
                      remedy="请分批上传")
    stay = await stay_of(tx, psn_no=psn_no, mdtrt_id=mdtrt_id, fixmedins_code=institution.fixmedins_code,
                         field=f"{_NODE}.mdtrt_id")
    if isinstance(stay, Refusal):
        return stay
    refusal = refuse_discharged(stay, "增加费用明细", field=f"{_NODE}.mdtrt_id")
    if refusal is not None:
        return refusal
    policy = shelf.of(stay["admdvs"])
    if isinstance(policy, Refusal):
        return policy
    keys = [LineKey(x.item_code, x.local_code, business_date(x.occurred_at)) for x in lines]
    facts = await look_up_lines(tx, institution=institution, admdvs=stay["admdvs"], lines=keys)
    earlier = await stays.list_stay_lines(tx, psn_no=psn_no, mdtrt_id=mdtrt_id)
    faults = _line_faults(lines, stay, earlier, today=business_date(now))
    faults += faults_of_lines(keys, facts, node=_NODE)
    faults += await _doctor_faults(tx, lines, institution=institution)
    if faults:
        return Refusal(tuple(faults))
    book = ReturnBook(earlier, covered=stay["covered"])
    kept = _keep(lines, facts, book, policy, stay=stay, now=now)
    if isinstance(kept, Refusal):
        return kept
    await add_lines(tx, [k.line for k in kept])
    return KeptLines(kept, warnings_of_lines(keys, facts))


def _keep(
    lines: Sequence[LineInput], facts: Sequence[LineFacts], book: ReturnBook, policy: RegionPolicy, *,
    stay: asyncpg.Record, now: datetime,
) -> list[UploadedLine] | Refusal:
    """Split every line in turn; a return may follow its line in the same message."""
    kept, faults = [], []
    for i, (line, fact) in enumerate(zip(lines, facts, strict=True)):
        assert fact.term is not None
        if line.quantity_e4 < 0:
            found = book.faults_of(line, f"{_NODE}[{i}]")
            faults += found
            if found:
                continue
            split: LineSplit | Refusal = book.take_back(line)
        else:
            split = _split(line, fact.term, policy, stay=stay)
        if isinstance(split, Refusal):
            return split
        if line.quantity_e4 > 0:
            book.charge(line, split)
        fee_line = kept_line(line, fact.term, split, admdvs=stay["admdvs"], batch=str(stay["open_period"]), now=now)
        kept.append(UploadedLine(fee_line, fact.term, split))
    return Refusal(tuple(faults)) if faults else kept


def _split(line: LineInput, term: ItemTerm, policy: RegionPolicy, *, stay: asyncpg.Record) -> LineSplit | Refusal:
    return classify_line(
        policy=policy, service_on=business_date(line.occurred_at), insutype=stay["insutype"], list_type=term.list_type,
        class_level=term.class_level, amount=line.amount_fen, price=line.price_micro, quantity=line.quantity_e4,
        first_pay=term.first_pay, price_limit=term.limit_micro, restricted=term.restricted,
        hosp_appr_flag=line.hosp_appr_flag, group=group_of(negotiated=term.negotiated),
        med_type=stay["med_type"],
    )


def _line_faults(
    lines: Sequence[LineInput], stay: asyncpg.Record, earlier: Sequence[asyncpg.Record], *, today: date
) -> list[Fault]:
    """Return what is wrong with lines by themselves: whose they are, serial, day, quantity, amount."""
    known = {x["feedetl_sn"] for x in earlier}
    times = Counter(x.sn for x in lines)
    admitted_on = business_date(stay["admitted_at"])
    faults = []
    for i, x in enumerate(lines):
        at = f"{_NODE}[{i}]"
        if (x.psn_no, x.mdtrt_id) != (stay["psn_no"], stay["mdtrt_id"]):
            faults.append(Fault("SEVERAL_ENCOUNTERS", "一次上传的明细须属于同一次住院", f"{at}.mdtrt_id", x.mdtrt_id,
                                "请按住院分开上传"))
        if times[x.sn] > 1 or x.sn in known:
            faults.append(Fault("LINE_SERIAL_TAKEN", "费用明细流水号在这次住院中重复", f"{at}.feedetl_sn", x.sn,
                                "请使用新的流水号；重传前先用2302撤销"))
        if x.med_type != stay["med_type"]:
            faults.append(Fault("MED_TYPE_DIFFERS", f"医疗类别与入院登记（{stay['med_type']}）不一致", f"{at}.med_type",
                                x.med_type, "请按入院登记的医疗类别上传，或用2403修改"))
        if business_date(x.occurred_at) < admitted_on:
            faults.append(Fault("LINE_OUTSIDE_STAY", f"费用发生在入院日期{admitted_on}之前", f"{at}.fee_ocur_time",
                                f"{business_date(x.occurred_at)}", "请核对费用发生时间；入院前的费用请按门诊结算"))
        if x.quantity_e4 == 0:
            faults.append(Fault("QUANTITY_ZERO", "数量不能为0", f"{at}.cnt", "0", "退费请用负数数量"))
        if x.quantity_e4 < 0 and not x.init_sn:
            faults.append(Fault("RETURN_WITHOUT_ORIGINAL", "负数明细没有指明原费用流水号", f"{at}.init_feedetl_sn",
                                remedy="请填写被退明细的流水号"))
        faults += amount_faults(x, at=at, today=today)
    return faults


async def _doctor_faults(tx: Connection, lines: Sequence[LineInput], *, institution: Institution) -> list[Fault]:
    registered = {
        day: await registered_practitioners(
            tx, institution.fixmedins_code, codes=[x.doctor_code for x in lines if business_date(x.occurred_at) == day],
            on=day,
        )
        for day in {business_date(x.occurred_at) for x in lines}
    }
    return [
        Fault("DOCTOR_NOT_REGISTERED", "开单医生费用发生当日未在本机构登记", f"{_NODE}[{i}].bilg_dr_codg", x.doctor_code,
              "请用5102查询本机构已登记医师")
        for i, x in enumerate(lines) if x.doctor_code not in registered[business_date(x.occurred_at)]
    ]


async def withdraw_stay_lines(
    tx: Connection, *, psn_no: str, mdtrt_id: str, serials: Sequence[str], fixmedins_code: str
) -> Refusal | None:
    """Withdraw unsettled lines of an open stay by serial; ``0000`` means all unsettled ones."""
    stay = await stay_of(tx, psn_no=psn_no, mdtrt_id=mdtrt_id, fixmedins_code=fixmedins_code, field="data[0].mdtrt_id")
    if isinstance(stay, Refusal):
        return stay
    refusal = refuse_discharged(stay, "撤销费用明细", field="data[0].mdtrt_id")
    if refusal is not None:
        return refusal
    lines = {x["feedetl_sn"]: x for x in await stays.list_stay_lines(tx, psn_no=psn_no, mdtrt_id=mdtrt_id)}
    unsettled = {sn for sn, x in lines.items() if x["period"] > stay["covered"]}
    leaving = unsettled if ALL in serials else set(serials)
    faults = []
    for i, sn in enumerate(serials):
        if sn == ALL:
            continue
        if sn not in lines:
            faults.append(Fault("LINE_NOT_FOUND", "这次住院没有该流水号的费用明细", f"data[{i}].feedetl_sn", sn,
                                "请核对流水号，或用0000撤销全部未结算明细"))
        elif sn not in unsettled:
            faults.append(Fault("LINE_SETTLED", "该明细已参与结算，不能撤销", f"data[{i}].feedetl_sn", sn,
                                "请先用2305撤销结算"))
        else:
            left = sorted(x["feedetl_sn"] for x in lines.values() if x["init_sn"] == sn and x["feedetl_sn"] not in leaving)
            if left:
                faults.append(Fault("LINE_RETURNED", f"该明细有退费明细（{left[0]}），不能单独撤销", f"data[{i}].feedetl_sn",
                                    sn, "请一并撤销退费明细"))
    if faults:
        return Refusal(tuple(faults))
    await stays.withdraw_serials(tx, psn_no=psn_no, mdtrt_id=mdtrt_id, serials=leaving)
    return None
