"""The way of a stay (2303, 2304): all lines that no settlement covers yet, at discharge or, in between, as an interim."""

from __future__ import annotations

from datetime import date
from types import MappingProxyType

import asyncpg
import msgspec

from yibao.domains.people.card_rules import card_faults
from yibao.kernel.refusal import Fault, Refusal, refuse
from yibao.policy.case import Case
from yibao.policy.law.parameters import RegionPolicy, first_match
from yibao.policy.pipeline.choosing import Benefit, choose_benefit
from yibao.usecases.backfill.care_of import care_of
from yibao.usecases.backfill.judge_backfill import has_credential
from yibao.usecases.backfill.model import Care
from yibao.usecases.entitlement.standing_faults import standing_faults
from yibao.usecases.filings.case_facts import CaseWords
from yibao.usecases.grouping.open_terms import clearing_way
from yibao.usecases.settlement.counters import OUTLIVES_YEAR, law_counters
from yibao.usecases.settlement.judging import (
    Sums,
    filed_words,
    institution_of,
    line_groups,
    payment_faults,
    person_of,
    sum_faults,
)
from yibao.usecases.settlement.maternity import refuse_kind, sex_faults
from yibao.usecases.settlement.shelf import PolicyShelf
from yibao.usecases.settlement.way import OWN_FIRST, WRITE_STAY, Bill, OpenCase, Settled, Way, placed

_WORDS = Sums("本次结算", "2301", "2303")
_SERVICE, _DISCHARGE = "service_date", "discharge_date"


class StayBill(Bill, frozen=True, kw_only=True):
    """What the institution asks to have settled of a stay.

    Attributes:
        is_interim: the stay goes on (``mid_setl_flag`` 1).
        is_trial: a trial may come before the discharge; it then reckons as if the stay ended with its last line.
        discharge_on: day of discharge as the institution names it again, None if it does not.
    """

    mdtrt_id: str
    is_interim: bool
    is_trial: bool = False
    discharge_on: date | None = None


class Covers(msgspec.Struct, frozen=True):
    """One row of ``settlements.stay_settlement``; the fields stand in the order of the table."""

    psn_no: str
    setl_id: str
    admdvs: str
    mdtrt_id: str
    period_from: int
    period_to: int
    is_interim: bool
    begin_on: date
    end_on: date
    admission: int


class StayWay(Way[StayBill]):
    """Settles what is open of a stay."""

    places = MappingProxyType(
        {"med_type": "mdtrtinfo.med_type", "dise_codg": "mdtrtinfo.dise_codg", "begntime": "dscginfo.endtime"}
    )
    facts = "select * from settlements.facts_of_stay($1, $2, $3)"
    turn = "select * from settlements.take_turn_for_stay($1, $2, $3, $4, $5)"
    write = WRITE_STAY
    verb = "settle_stay"

    def arguments(self, bill: StayBill) -> tuple[object, ...]:
        """Return person, stay, and whether the stay goes on."""
        return bill.psn_no, bill.mdtrt_id, bill.is_interim

    def judge(
        self, row: asyncpg.Record | None, bill: StayBill, *, sender: str, shelf: PolicyShelf
    ) -> OpenCase | Refusal:
        """Make the case, or refuse with every fault found. Faults stand in fixed precedence."""
        if row is None:
            return refuse("STAY_NOT_FOUND", "没有该参保人的这次住院", field="data.mdtrt_id", received=bill.mdtrt_id,
                          remedy="请核对人员编号与就诊ID是否来自同一次2401入院登记")
        if row["fixmedins_code"] != sender:
            return refuse("ENCOUNTER_ELSEWHERE", "这次住院不是在本机构登记的", field="data.mdtrt_id",
                          received=bill.mdtrt_id, remedy="请由办理入院的机构办理")
        policy = shelf.of(row["admdvs"])
        if isinstance(policy, Refusal):
            return policy
        filed = filed_words(row, bill)
        faults = _stay_faults(row, bill) + _bill_faults(row, bill) + _benefit_faults(row)
        faults += sex_faults(row, psn_no=bill.psn_no)
        faults += filed.faults if isinstance(filed, Refusal) else ()
        if faults or isinstance(filed, Refusal):
            return Refusal(tuple(faults))
        case = _case(row, bill, filed)
        kind = refuse_kind(case, policy)
        if kind is not None:
            return kind
        service_on = _service_day(case, row, bill, policy)
        if isinstance(service_on, Refusal):
            return placed(service_on, self.places)
        return OpenCase(
            row, _in_year(case, row, bill, filed, service_on), bill.mdtrt_id, str(row["period_to"]), filed.pregnancy_id,
            clearing_way(row["admdvs"], institution_kind=row["kind"], med_type=row["med_type"], on=service_on),
        )

    def care(self, opened: OpenCase, bill: StayBill) -> Care:
        """Return the stay as far as it has come."""
        row = opened.row
        return care_of(
            opened.case, row, mdtrt_id=bill.mdtrt_id, visit_no=row["visit_no"], invono=bill.invono,
            amount_fen=bill.medfee_fen, begin=row["admitted_at"], end=row["discharged_at"], field="data.mdtrt_id",
            is_part=bill.is_interim,
        )

    def beside(self, settled: Settled) -> tuple[object, ...]:
        """Return what the settlement covers."""
        row, s = settled.row, settled.settlement
        begin_on = row["admitted_on"] if row["period_from"] == 1 else row["first_line_on"]
        return (msgspec.structs.astuple(Covers(
            psn_no=s.psn_no, setl_id=s.setl_id, admdvs=s.admdvs, mdtrt_id=s.mdtrt_id, period_from=row["period_from"],
            period_to=row["period_to"], is_interim=row["is_interim"], begin_on=begin_on, end_on=row["end_on"],
            admission=settled.case.admission,
        )),)


STAY = StayWay()


def _stay_faults(row: asyncpg.Record, bill: StayBill) -> list[Fault]:
    faults = []
    state = row["stay_state"]
    if state == "cancelled":
        faults.append(Fault("STAY_CANCELLED", "这次入院登记已撤销", "data.mdtrt_id", bill.mdtrt_id, "请重新办理入院"))
    elif bill.is_interim and state == "discharged":
        faults.append(Fault("STAY_DISCHARGED", "已办理出院，不能再中途结算", "data.mid_setl_flag", "1",
                            "请以mid_setl_flag为0办理出院结算"))
    elif not bill.is_interim and state == "admitted" and not bill.is_trial:
        faults.append(Fault("STAY_NOT_DISCHARGED", "尚未办理出院", "data.mdtrt_id", bill.mdtrt_id,
                            "请先用2402办理出院；继续住院的请以mid_setl_flag为1办理中途结算"))
    if row["insutype"] != bill.insutype:
        faults.append(Fault("INSUTYPE_DIFFERS", f"险种类型与入院时（{row['insutype']}）不一致", "data.insutype",
                            bill.insutype, "请按入院登记的险种结算"))
    on = row["discharged_on"]
    if bill.discharge_on is not None and on is not None and bill.discharge_on != on:
        faults.append(Fault("DISCHARGE_DAY_DIFFERS", f"出院时间与2402办理的出院日期{on}不一致", "data.dscgTime",
                            f"{bill.discharge_on}", "请核对出院时间"))
    if not has_credential(row):
        faults += card_faults(bill.cert_type, row["card_state"], field="data.mdtrt_cert_type")
    return faults + payment_faults(bill, setlway_text="住院")


def _bill_faults(row: asyncpg.Record, bill: StayBill) -> list[Fault]:
    if row["final_id"] is not None:
        return [Fault("STAY_SETTLED", f"这次住院已结算（结算ID {row['final_id']}）", "data.mdtrt_id", bill.mdtrt_id,
                      "如需重新结算，请先用2305撤销")]
    if not row["lines"]:
        if row["last_interim_id"] is not None:
            return [Fault("NO_FEE_LINES", f"没有未结算的费用明细：中途结算（结算ID {row['last_interim_id']}）已覆盖全部费用",
                          "data.mdtrt_id", bill.mdtrt_id, "没有新的费用时无需再结算，用2402办理出院即可")]
        return [Fault("NO_FEE_LINES", "这次住院没有未结算的费用明细", "data.mdtrt_id", bill.mdtrt_id,
                      "请先用2301上传费用明细")]
    return sum_faults(row, bill, words=_WORDS)


def _benefit_faults(row: asyncpg.Record) -> list[Fault]:
    # Who dies in hospital is insured to the last day of the stay.
    died_on = row["died_on"] if row["died_on"] is not None and row["died_on"] < row["admitted_on"] else None
    return standing_faults(
        insutype=row["insutype"], status=row["relation_status"], status_reason=row["relation_reason"],
        benefit_from=row["benefit_from"], benefit_to=row["benefit_to"], died_on=died_on, on=row["end_on"],
    )


def _case(row: asyncpg.Record, bill: StayBill, filed: CaseWords) -> Case:
    """Return the case as of the last day; what hangs on the year comes with ``_in_year``."""
    recognised = row["recognised"] or ()
    balance = row["balance_fen"]
    return Case(
        admdvs=row["admdvs"], service_on=row["end_on"], insutype=row["insutype"], med_type=row["med_type"],
        person=person_of(row, row["end_on"]), institution=institution_of(row), lines=line_groups(row),
        disease_code=row["disease_code"] if row["disease_code"] in recognised else "",
        account_balance=balance or 0, use_account=bill.account_use in OWN_FIRST and balance is not None,
        recognised=tuple(recognised), maternity=row["maternity"], pregnancy_months=row["pregnancy_months"],
        foetuses=row["foetuses"], referred_from=filed.referred_from, provider=filed.provider, cause=filed.cause,
        maternity_filing=filed.maternity_filing, in_parts=bill.is_interim or row["period_from"] > 1,
    )


def _service_day(case: Case, row: asyncpg.Record, bill: StayBill, policy: RegionPolicy) -> date | Refusal:
    """Return the day whose law and year count, as the law's ``benefit_year`` says for this benefit.

    By the day of discharge: the last day that is settled. By the day of the costs: the day of the last line; costs
    of two years cannot then be settled together.
    """
    benefit = choose_benefit(case, policy)
    if isinstance(benefit, Refusal):
        return benefit
    if bill.is_interim:
        refusal = _refuse_interim(benefit)
        if refusal is not None:
            return refusal
    year_row = first_match(benefit.law.rows.get("benefit_year", ()), benefit.facts)
    if year_row is None or year_row.word == _DISCHARGE:
        return case.service_on
    first: date = row["first_line_on"]
    last: date = row["last_line_on"]
    if first.year != last.year:
        return refuse(
            "COSTS_OF_TWO_YEARS", f"参保地规定费用归属发生日所在年度，{first.year}年与{last.year}年的费用不能一并结算",
            field="data.mdtrt_id", received=bill.mdtrt_id, basis=f"{year_row.used.rule} {year_row.used.source}".strip(),
            remedy=f"请用2302撤销{last.year}年的明细，以mid_setl_flag为1结算{first.year}年的费用后再上传",
        )
    return min(last, case.service_on)


def _refuse_interim(benefit: Benefit) -> Refusal | None:
    """Refuse to settle in parts what the law pays by a sum for the whole stay."""
    for key in ("lump", "pool_floor"):
        row = first_match(benefit.law.rows.get(key, ()), benefit.facts)
        if row is not None:
            return refuse("INTERIM_NOT_ALLOWED", f"{benefit.title}按一次住院定额或保底支付，不能中途结算",
                          field="data.mid_setl_flag", received="1", basis=f"{row.used.rule} {row.used.source}".strip(),
                          remedy="请在出院后结算")
    return None


def _in_year(case: Case, row: asyncpg.Record, bill: StayBill, filed: CaseWords, service_on: date) -> Case:
    """Return the case with day of service, counters and number of the stay in the benefit year."""
    kept = zip(row["counter_years"] or (), row["counter_codes"] or (), row["counter_used"] or (), strict=True)
    counters = law_counters(
        ((code, used) for year, code, used in kept if year in (OUTLIVES_YEAR, service_on.year)),
        stay=bill.mdtrt_id, pregnancy=filed.pregnancy_id,
    )
    # A stay that is settled in parts keeps the number of its first part.
    others = sum(year == service_on.year for year in row["other_stay_years"] or ())
    admission = row["admission"] or others + 1
    if service_on == case.service_on:
        return msgspec.structs.replace(case, counters=counters, admission=admission)
    person = person_of(row, service_on)
    return msgspec.structs.replace(
        case, service_on=service_on, person=person, counters=counters, admission=admission
    )
