"""Read receipts as somebody hands them in: who issued them, where, of what care, and whether their lines add up."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from yibao.domains.claims.kinds import Kind, words
from yibao.domains.claims.model import CARE, SALE, STAY, VISIT, Bill, Line, party_of
from yibao.domains.encounters.visit_classes import OUTPATIENT, PHARMACY, class_faults
from yibao.domains.encounters.visit_classes import STAY as STAY_CLASS
from yibao.domains.institutions.model import Institution
from yibao.domains.institutions.queries import find_institution
from yibao.infra.database import Connection
from yibao.kernel.business_time import SHANGHAI, business_date
from yibao.kernel.money import line_amount, yuan_text
from yibao.kernel.refusal import Fault
from yibao.usecases.claims.commands import BillGiven, LineGiven

_CLASS_OF = {VISIT: OUTPATIENT, STAY: STAY_CLASS, SALE: PHARMACY}
_LEVELS = ("1", "2", "3")
_HOSPITAL, _PHARMACY = "1", "2"
_TOLERANCE_FEN = 1
_DRUGS = "101"
_PROVINCE, _CITY = 2, 4
LINES_MAX, BILLS_MAX = 1000, 50


async def read_bills(
    tx: Connection, given: Sequence[BillGiven], *, kind: Kind, psn_no: str, claim_id: str, admdvs: str, now: datetime
) -> tuple[list[Bill], list[Line], list[Fault]]:
    """Return the receipts and their lines as they are kept, and everything that is wrong with them."""
    bills, lines, faults = [], [], []
    if not 1 <= len(given) <= BILLS_MAX:
        faults.append(Fault("BILLS_COUNT", f"一次申请须有1至{BILLS_MAX}张票据", "bills", str(len(given)), "请补录或分次申请"))
    for i, one in enumerate(given[:BILLS_MAX]):
        institution = await find_institution(tx, one.fixmedins_code) if one.fixmedins_code else None
        at = f"bills[{i}]"
        bill = _bill(one, institution, psn_no=psn_no, claim_id=claim_id, ordinal=i + 1, admdvs=admdvs)
        faults += _bill_faults(bill, one, institution, kind=kind, at=at, now=now)
        bills.append(bill)
        found, wrong = read_lines(bill, one.lines, at=at)
        lines += found
        faults += wrong
    numbers = [(b.party, b.bill_no) for b in bills]
    faults += [
        Fault("BILL_TWICE", "同一张票据在本次申请中出现两次", f"bills[{i}].bill_no", bills[i].bill_no, "请删去重复的票据")
        for i, number in enumerate(numbers) if number in numbers[:i]
    ]
    return bills, lines, faults


def read_lines(bill: Bill, given: Sequence[LineGiven], *, at: str) -> tuple[list[Line], list[Fault]]:
    """Return the lines of a receipt as they are kept, and what is wrong with them; none is no fault yet."""
    faults = []
    lines = [
        Line(psn_no=bill.psn_no, claim_id=bill.claim_id, ordinal=bill.ordinal, line_no=n, admdvs=bill.admdvs,
             occurred_on=x.occurred_on or business_date(bill.end_at if bill.care == STAY else bill.begin_at),
             item_code=x.item_code.strip(), item_name=x.item_name.strip(), list_type=x.list_type or _DRUGS,
             price_micro=x.price_micro, quantity_e4=x.quantity_e4, amount_fen=x.amount_fen, approval=x.approval)
        for n, x in enumerate(given, 1)
    ]
    first, last = business_date(bill.begin_at), business_date(bill.end_at)
    for n, line in enumerate(lines):
        place = f"{at}.lines[{n}]"
        due = line_amount(max(line.price_micro, 0), max(line.quantity_e4, 0))
        if line.price_micro < 0 or line.quantity_e4 <= 0 or line.amount_fen < 0:
            faults.append(Fault("LINE_NOT_POSITIVE", "单价、数量和金额不能为负，数量须大于0", place,
                                remedy="退费请与原费用相抵后录入"))
        elif abs(due - line.amount_fen) > _TOLERANCE_FEN:
            faults.append(Fault("LINE_DOES_NOT_MULTIPLY", f"明细金额与单价×数量={yuan_text(due)}元不符", f"{place}.amount_fen",
                                yuan_text(line.amount_fen), "允许误差0.01元"))
        if not line.item_name:
            faults.append(Fault("LINE_UNNAMED", "明细没有项目名称", f"{place}.item_name", remedy="请按清单填写"))
        if not first <= line.occurred_on <= last:
            faults.append(Fault("LINE_OUTSIDE_CARE", f"费用发生日不在{first}至{last}之间", f"{place}.occurred_on",
                                f"{line.occurred_on}", "请核对清单"))
        if line.approval not in ("0", "1", "2"):
            faults.append(Fault("APPROVAL_UNKNOWN", "审批标志只能是0、1、2", f"{place}.approval", line.approval, "请更正"))
    if len(lines) > LINES_MAX:
        faults.append(Fault("TOO_MANY_LINES", f"一张票据最多{LINES_MAX}条明细", f"{at}.lines", str(len(lines)), "请合并相同项目"))
    total = sum(line.amount_fen for line in lines)
    if lines and total != bill.total_fen:
        faults.append(Fault("TOTAL_DIFFERS", f"票据金额与明细合计{yuan_text(total)}元不一致", f"{at}.total_fen",
                            yuan_text(bill.total_fen), "请核对票据和清单；涂改的票据不予受理"))
    return lines, faults


def _bill(
    one: BillGiven, institution: Institution | None, *, psn_no: str, claim_id: str, ordinal: int, admdvs: str
) -> Bill:
    name = institution.name if institution else one.institution_name.strip()
    care_admdvs = institution.region if institution else one.care_admdvs
    begin_at = _in_zone(one.begin_at)
    return Bill(
        psn_no=psn_no, claim_id=claim_id, ordinal=ordinal, admdvs=admdvs,
        party=party_of(one.fixmedins_code, name), fixmedins_code=one.fixmedins_code, institution_name=name,
        level=institution.level if institution else one.level,
        kind=institution.kind if institution else _PHARMACY if one.care == SALE else _HOSPITAL,
        care_admdvs=care_admdvs, traits=sorted(institution.traits) if institution else sorted(set(one.traits)),
        bill_no=one.bill_no.strip(), visit_no=one.visit_no.strip(), mdtrt_id="", care=one.care, med_type=one.med_type,
        begin_at=begin_at, end_at=max(_in_zone(one.end_at) if one.end_at else begin_at, begin_at), total_fen=one.total_fen,
        disease_code=one.disease_code.strip(), disease_name=one.disease_name.strip(), remote=one.remote,
        remote_place=_place(admdvs, care_admdvs), filing_ref=one.filing_ref.strip(), rate="", maternity=one.maternity,
        pregnancy_months=one.pregnancy_months, foetuses=one.foetuses, is_accident=one.is_accident,
    )


def _in_zone(instant: datetime) -> datetime:
    """Return an instant of a receipt; one without a zone is business time."""
    return instant if instant.tzinfo else instant.replace(tzinfo=SHANGHAI)


def _place(admdvs: str, care_admdvs: str) -> str:
    if care_admdvs[:_CITY] == admdvs[:_CITY]:
        return ""
    return "in_province" if care_admdvs[:_PROVINCE] == admdvs[:_PROVINCE] else "outside"


def _bill_faults(
    bill: Bill, one: BillGiven, institution: Institution | None, *, kind: Kind, at: str, now: datetime
) -> list[Fault]:
    faults = []
    if not bill.bill_no:
        faults.append(Fault("BILL_NO_MISSING", "缺少票据号码", f"{at}.bill_no", remedy="请按票据填写"))
    if bill.total_fen <= 0:
        faults.append(Fault("BILL_NOT_POSITIVE", "票据金额须大于0", f"{at}.total_fen", yuan_text(bill.total_fen), "请核对票据"))
    if one.end_at is not None and _in_zone(one.end_at) < bill.begin_at:
        faults.append(Fault("CARE_ENDS_FIRST", "结束时间早于开始时间", f"{at}.end_at", f"{one.end_at:%Y-%m-%d}", "请核对"))
    if bill.end_at > now:
        faults.append(Fault("CARE_NOT_ENDED", "费用尚未结束", f"{at}.end_at", f"{business_date(bill.end_at)}",
                            "请在就诊或出院结束后申请"))
    if bill.care not in kind.care:
        may = "、".join(CARE[c] for c in kind.care)
        faults.append(Fault("CARE_OF_OTHER_KIND", f"{kind.title}只受理{may}费用", f"{at}.care", bill.care,
                            "请选择相应的报销事项"))
    elif bill.care in _CLASS_OF:
        faults += class_faults(bill.med_type, kind=_CLASS_OF[bill.care], name="", field=f"{at}.med_type")
    if bill.care == STAY and one.end_at is None:
        faults.append(Fault("DISCHARGE_MISSING", "缺少出院时间", f"{at}.end_at", remedy="请按出院记录填写"))
    faults += _institution_faults(bill, institution, at=at)
    return faults + _remote_faults(bill, at=at)


def _institution_faults(bill: Bill, institution: Institution | None, *, at: str) -> list[Fault]:
    faults = []
    if bill.fixmedins_code and institution is None:
        faults.append(Fault("INSTITUTION_NOT_FOUND", "本平台没有这个定点机构", f"{at}.fixmedins_code", bill.fixmedins_code,
                            "本平台以外的机构请不填编码，填写名称、级别和所在地"))
    if institution is None:
        if not bill.institution_name:
            faults.append(Fault("INSTITUTION_MISSING", "缺少医药机构名称", f"{at}.institution_name", remedy="请按票据填写"))
        if bill.level not in _LEVELS:
            faults.append(Fault("LEVEL_MISSING", "缺少医疗机构级别", f"{at}.level", bill.level, "请填写1、2或3"))
        if len(bill.care_admdvs) != 6 or not bill.care_admdvs.isdigit():
            faults.append(Fault("PLACE_MISSING", "缺少就医地区划", f"{at}.care_admdvs", bill.care_admdvs, "请填写6位区划"))
        return faults
    if (bill.care == SALE) != (institution.kind == _PHARMACY):
        faults.append(Fault("CARE_OF_OTHER_INSTITUTION", f"{institution.name}不提供{CARE.get(bill.care, '这种')}服务",
                            f"{at}.care",
                            bill.care, "请核对机构与费用类别"))
    if bill.care != SALE and not bill.visit_no:
        faults.append(Fault("VISIT_NO_MISSING", "缺少门诊号或住院号，无法核对是否已联网结算", f"{at}.visit_no",
                            remedy="请按票据填写"))
    return faults


def _remote_faults(bill: Bill, *, at: str) -> list[Fault]:
    known = words()
    if not bill.remote_place:
        return [Fault("NOT_REMOTE", "在参保地就医，不是异地就医", f"{at}.remote", bill.remote,
                      "请勿填写异地就医方式")] if bill.remote else []
    if bill.remote not in known.remote:
        return [Fault("REMOTE_MISSING", "异地就医须说明备案情况", f"{at}.remote", bill.remote,
                      "可填：" + "、".join(f"{code}{name}" for code, name in known.remote.items()))]
    return []
