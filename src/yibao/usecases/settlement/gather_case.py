"""The way of a visit: facts of one charge batch in one round trip, with or without the person's turn."""

from __future__ import annotations

from types import MappingProxyType

import asyncpg

from yibao.domains.encounters.visit_classes import visit_classes
from yibao.domains.people.card_rules import card_faults
from yibao.kernel.refusal import Fault, Refusal, refuse
from yibao.policy.case import Case
from yibao.usecases.backfill.care_of import care_of
from yibao.usecases.backfill.judge_backfill import has_credential
from yibao.usecases.backfill.model import Care
from yibao.usecases.entitlement.standing_faults import standing_faults
from yibao.usecases.filings.case_facts import CaseWords
from yibao.usecases.settlement.counters import law_counters
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
from yibao.usecases.settlement.way import OWN_FIRST, Bill, OpenCase, Way

_WORDS = Sums("该收费批次", "2204", "2206")


class SettleCommand(Bill, frozen=True, kw_only=True):
    """What the institution asks to have settled of a visit: one charge batch (``chrg_bchno``).

    ``needs_filings`` False promises that, as far as the bill tells, no law will ask for a filing.
    """

    mdtrt_id: str
    batch: str
    med_type: str
    needs_filings: bool = True


class VisitWay(Way[SettleCommand]):
    """Settles one charge batch of a visit (2206, 2207)."""

    places = MappingProxyType(
        {"med_type": "data.med_type", "dise_codg": "mdtrtinfo.dise_codg", "begntime": "mdtrtinfo.begntime"}
    )
    facts = "select * from settlements.case_facts($1, $2, $3)"
    turn = "select * from settlements.take_turn($1, $2, $3, $4, $5)"
    verb = "settle_visit"

    def facts_at_once(self, bill: SettleCommand) -> str:
        """Leave filings out where nobody will ask for them."""
        return self.facts if bill.needs_filings else "select * from settlements.plain_facts($1, $2, $3)"

    def arguments(self, bill: SettleCommand) -> tuple[object, ...]:
        """Return person, encounter and batch."""
        return bill.psn_no, bill.mdtrt_id, bill.batch

    def judge(
        self, row: asyncpg.Record | None, bill: SettleCommand, *, sender: str, shelf: PolicyShelf,
    ) -> OpenCase | Refusal:
        """Make the case, or refuse with every fault found. Faults stand in fixed precedence."""
        if row is None:
            return refuse("ENCOUNTER_NOT_FOUND", "没有该参保人的这次就诊", field="data.mdtrt_id", received=bill.mdtrt_id,
                          remedy="请核对人员编号与就诊ID是否来自同一次2201挂号")
        if row["fixmedins_code"] != sender:
            return refuse("ENCOUNTER_ELSEWHERE", "这次就诊不是在本机构登记的", field="data.mdtrt_id",
                          received=bill.mdtrt_id, remedy="请由登记该就诊的机构办理")
        if not row["has_filings"] and (row["exp_content"] or row["maternity"]):
            # The visit tells more than the bill; with the whole facts this is never said to anybody.
            return refuse("FILINGS_NOT_READ", "须连同备案信息一并核定")
        if row["visit_state"] in ("admitted", "discharged"):
            return refuse("ENCOUNTER_IS_STAY", "这次就诊是住院", field="data.mdtrt_id", received=bill.mdtrt_id,
                          remedy="住院请用2303预结算、2304结算")
        faults = _visit_faults(row, bill) + _batch_faults(row, bill)
        filed = filed_words(row, bill)
        faults += filed.faults if isinstance(filed, Refusal) else ()
        faults += standing_faults(
            insutype=row["insutype"], status=row["relation_status"], status_reason=row["relation_reason"],
            benefit_from=row["benefit_from"], benefit_to=row["benefit_to"], died_on=row["died_on"], on=row["service_on"],
        )
        faults += sex_faults(row, psn_no=bill.psn_no)
        if faults or isinstance(filed, Refusal):
            return Refusal(tuple(faults))
        case = _case(row, bill, filed)
        policy = shelf.of(row["admdvs"])
        # Without a law whoever settles refuses.
        kind = None if isinstance(policy, Refusal) else refuse_kind(case, policy)
        return kind or OpenCase(row, case, bill.mdtrt_id, bill.batch, filed.pregnancy_id)

    def care(self, opened: OpenCase, bill: SettleCommand) -> Care:
        """Return the visit."""
        row = opened.row
        return care_of(
            opened.case, row, mdtrt_id=bill.mdtrt_id, visit_no=row["visit_no"], invono=bill.invono,
            amount_fen=bill.medfee_fen, begin=row["begin_at"], end=row["begin_at"], field="data.mdtrt_id",
        )


VISIT = VisitWay()


def _visit_faults(row: asyncpg.Record, bill: SettleCommand) -> list[Fault]:
    faults = []
    if row["visit_state"] == "cancelled":
        faults.append(Fault("ENCOUNTER_CANCELLED", "这次就诊的挂号已撤销", "data.mdtrt_id", bill.mdtrt_id,
                            "请重新挂号"))
    elif row["visit_state"] == "registered":
        faults.append(Fault("VISIT_NOT_RECORDED", "尚未上传就诊信息", "data.mdtrt_id", bill.mdtrt_id,
                            "请先用2203或2203A上传就诊信息和诊断"))
    elif row["med_type"] != bill.med_type:
        faults.append(Fault("MED_TYPE_DIFFERS", f"医疗类别与就诊信息（{row['med_type']}）不一致", "data.med_type",
                            bill.med_type, "请按2203上传的医疗类别结算，或重新上传就诊信息"))
    if row["insutype"] != bill.insutype:
        faults.append(Fault("INSUTYPE_DIFFERS", f"险种类型与挂号时（{row['insutype']}）不一致", "data.insutype",
                            bill.insutype, "请按挂号时的险种结算"))
    classes = visit_classes()
    if row["visit_state"] == "visited" and row["med_type"] in classes.pharmacy:
        faults.append(Fault("NOT_A_VISIT", "这是一笔药店购药，不是门诊就诊", "data.mdtrt_id", bill.mdtrt_id,
                            "购药请用2101、2102结算，用2103撤销"))
    if row["visit_state"] == "visited" and row["med_type"] in classes.needs_recognition:
        if not row["disease_code"]:
            name = classes.outpatient[row["med_type"]]
            faults.append(Fault("DISEASE_MISSING", f"{name}就诊没有病种编码", "mdtrtinfo.dise_codg",
                                remedy="请在2203中上传已认定的慢特病病种"))
        elif row["disease_code"] not in (row["recognised"] or ()):
            faults.append(Fault("DISEASE_NOT_RECOGNISED", "参保人没有该病种的有效慢特病认定", "mdtrtinfo.dise_codg",
                                row["disease_code"], "请用5301查询已认定病种，或先办理认定"))
    if not has_credential(row):
        faults += card_faults(bill.cert_type, row["card_state"], field="data.mdtrt_cert_type")
    return faults + payment_faults(bill, setlway_text="门诊")


def _batch_faults(row: asyncpg.Record, bill: SettleCommand) -> list[Fault]:
    if row["settled_id"] is not None:
        return [Fault("BATCH_ALREADY_SETTLED", f"该收费批次已结算（结算ID {row['settled_id']}）", "data.chrg_bchno",
                      bill.batch, "如需重新结算，请先用2208撤销")]
    if not row["lines"]:
        return [Fault("NO_FEE_LINES", "该收费批次没有费用明细", "data.chrg_bchno", bill.batch,
                      "请先用2204上传费用明细")]
    return sum_faults(row, bill, words=_WORDS)


def _case(row: asyncpg.Record, bill: SettleCommand, filed: CaseWords) -> Case:
    recognised = row["recognised"] or ()
    balance = row["balance_fen"]
    counters = law_counters(
        zip(row["counter_codes"] or (), row["counter_used"] or (), strict=True), stay=bill.mdtrt_id,
        pregnancy=filed.pregnancy_id,
    )
    return Case(
        admdvs=row["admdvs"], service_on=row["service_on"], insutype=row["insutype"], med_type=row["med_type"],
        person=person_of(row, row["service_on"]), institution=institution_of(row), lines=line_groups(row),
        # A disease that is not recognised opens nothing: the visit is an ordinary one.
        disease_code=row["disease_code"] if row["disease_code"] in recognised else "",
        counters=counters, account_balance=balance or 0,
        use_account=bill.account_use in OWN_FIRST and balance is not None, recognised=tuple(recognised),
        maternity=row["maternity"], pregnancy_months=row["pregnancy_months"], foetuses=row["foetuses"],
        referred_from=filed.referred_from, provider=filed.provider, cause=filed.cause,
        maternity_filing=filed.maternity_filing,
    )
