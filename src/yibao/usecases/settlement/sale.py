"""The way of a sale: a pharmacy sells drugs in one message (2101 trial, 2102 settlement); details travel inside."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from types import MappingProxyType

import asyncpg
import msgspec

from yibao.domains.catalogue.model import ItemTerm
from yibao.domains.dispensing.dispensed_model import Dispensed, Prescribed
from yibao.domains.encounters.model import Encounter, FeeLine
from yibao.domains.encounters.visit_classes import PHARMACY as SALE
from yibao.domains.encounters.visit_classes import class_faults
from yibao.domains.institutions.model import PHARMACY
from yibao.domains.people.card_rules import card_faults
from yibao.infra.digest import sm3
from yibao.kernel.business_time import business_date
from yibao.kernel.identity_number import mask
from yibao.kernel.money import yuan_text
from yibao.kernel.refusal import Fault, Refusal, refuse
from yibao.policy.case import Case, LineGroup
from yibao.policy.law.parameters import RegionPolicy
from yibao.usecases.backfill.care_of import care_of
from yibao.usecases.backfill.model import Care
from yibao.usecases.entitlement.standing_faults import standing_faults
from yibao.usecases.pharmacy.prescription_faults import dual_channel_faults, outside_faults, wanted_of
from yibao.usecases.pharmacy.sale_lines import APPROVED, line_faults, split_line
from yibao.usecases.settlement.counters import law_counters
from yibao.usecases.settlement.judging import institution_of, payment_faults, person_of
from yibao.usecases.settlement.shelf import PolicyShelf
from yibao.usecases.settlement.way import OWN_FIRST, Bill, OpenCase, Settled, Way
from yibao.usecases.visits.fee_line import LineInput, kept_line

SPECIAL_DRUG_PURCHASE = "18"
ONLY_BATCH = "1"
IDENTITY_CARD, SOCIAL_CARD = "02", "03"


class SaleBill(Bill, frozen=True, kw_only=True):
    """What a pharmacy asks to have settled: who buys what, when.

    Attributes:
        mdtrt_id: id for the purchase as an encounter, made by the entrypoint.
        received_at: when the message came; nothing may be sold later than that.
        too_long: lines that give more days of medicine than may be given at once.
    """

    pharmacy: str
    mdtrt_id: str
    med_type: str
    med_type_text: str
    begin_at: datetime
    cert_no: str
    disease_code: str
    disease_name: str
    insured_place: str
    exp_content: str
    lines: Sequence[LineInput]
    opter: str
    opter_name: str
    received_at: datetime
    too_long: tuple[Fault, ...] = ()

    @property
    def service_on(self) -> date:
        """Return the day of the purchase."""
        return business_date(self.begin_at)


class SaleCase(OpenCase, frozen=True, kw_only=True):
    """An open case with what the sale writes: encounter, lines with their terms, what prescriptions give."""

    encounter: Encounter
    lines: tuple[FeeLine, ...]
    terms: Mapping[str, ItemTerm]
    dispensed: tuple[Dispensed, ...]


class SaleWay(Way[SaleBill]):
    """Settles a purchase at a pharmacy (2101, 2102)."""

    places = MappingProxyType(
        {"med_type": "druginfo.med_type", "dise_codg": "druginfo.dise_codg", "begntime": "druginfo.begntime"}
    )
    facts = "select * from dispensing.sale_facts($1, $2, $3, $4, $5, $6)"
    turn = "select * from dispensing.take_turn_for_sale($1, $2, $3, $4, $5, $6, $7, $8)"
    write = "select dispensing.write_sale($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)"
    verb = "settle_sale"

    def arguments(self, bill: SaleBill) -> tuple[object, ...]:
        """Return person, pharmacy, insurance, day, items and numbers of outside prescriptions."""
        return (
            bill.psn_no, bill.pharmacy, bill.insutype, bill.service_on, sorted({x.item_code for x in bill.lines}),
            sorted({x.rxno for x in bill.lines if x.outside_rx and x.rxno}),
        )

    def judge(
        self, row: asyncpg.Record | None, bill: SaleBill, *, sender: str, shelf: PolicyShelf
    ) -> SaleCase | Refusal:
        """Make the case, or refuse with every fault found. Faults stand in fixed precedence."""
        if row is None:
            return refuse("PERSON_NOT_FOUND", "没有该人员编号的参保人", field="druginfo.psn_no", received=bill.psn_no,
                          remedy="请用1101查询人员编号")
        if row["kind"] != PHARMACY:
            return refuse("NOT_A_PHARMACY", "药店购药只能由定点零售药店办理", field="druginfo.med_type", received=sender,
                          remedy="医疗机构请用2201至2207办理门诊结算")
        terms = {t[0]: ItemTerm(*t) for t in row["terms"]}
        prescribed = [Prescribed(*p) for p in row["prescribed"]]
        faults = _person_faults(row, bill) + _purchase_faults(bill)
        faults += line_faults(bill.lines, terms, on=bill.service_on, today=business_date(bill.received_at))
        faults += bill.too_long
        faults += outside_faults(
            wanted_of(bill.lines), prescribed, psn_no=bill.psn_no, region=row["care_admdvs"], at=bill.begin_at,
            needs_known=bill.med_type == SPECIAL_DRUG_PURCHASE and not _is_noted(row, bill),
        )
        faults += dual_channel_faults(
            bill.lines, terms, prescribed, is_special=bill.med_type == SPECIAL_DRUG_PURCHASE,
            disease_code=bill.disease_code, traits=row["traits"],
        )
        if faults:
            return Refusal(tuple(faults))
        policy = shelf.of(row["admdvs"])
        if isinstance(policy, Refusal):
            return policy
        lines = _fee_lines(bill, row, terms, prescribed, policy)
        if isinstance(lines, Refusal):
            return lines
        known = {p.hi_rxno for p in prescribed}
        return SaleCase(
            row, _case(row, bill, lines), bill.mdtrt_id, ONLY_BATCH, encounter=_encounter(row, bill), lines=lines,
            terms=terms, dispensed=tuple(_dispensed(x, bill) for x in lines if x.outside_rx and x.rxno in known),
        )

    def care(self, opened: OpenCase, bill: SaleBill) -> Care:
        """Return the purchase; the number of its invoice is all that a pharmacy calls it by."""
        return care_of(
            opened.case, opened.row, mdtrt_id=bill.mdtrt_id, visit_no=bill.invono, invono=bill.invono,
            amount_fen=bill.medfee_fen, begin=bill.begin_at, end=bill.begin_at, field="druginfo.invono",
        )

    def beside(self, settled: Settled) -> tuple[object, ...]:
        """Return the encounter, the fee lines and what was dispensed on prescriptions."""
        opened = settled.opened
        assert isinstance(opened, SaleCase)
        return (
            msgspec.structs.astuple(opened.encounter), [msgspec.structs.astuple(x) for x in opened.lines],
            [msgspec.structs.astuple(x) for x in opened.dispensed],
        )


SALE_WAY = SaleWay()


def _is_noted(row: asyncpg.Record, bill: SaleBill) -> bool:
    """Say whether the pharmacy noted this very sale while it could not settle: its paper prescription is in the book."""
    return bool(bill.invono) and any(
        e["kind"] == "sale" and e["visit_no"] == bill.invono and e["fixmedins_code"] == bill.pharmacy
        for e in row["episodes"] or ()
    )


def _person_faults(row: asyncpg.Record, bill: SaleBill) -> list[Fault]:
    faults = []
    shown = {IDENTITY_CARD: row["certno"], SOCIAL_CARD: row["card_no"]}.get(bill.cert_type)
    if bill.cert_type not in (IDENTITY_CARD, SOCIAL_CARD):
        faults.append(Fault("CREDENTIAL_NOT_OFFERED", "该就诊凭证类型尚未开通", "druginfo.mdtrt_cert_type",
                            bill.cert_type, "请使用02居民身份证或03社会保障卡"))
    elif shown is None or shown.upper() != bill.cert_no.upper():
        faults.append(Fault("CREDENTIAL_DIFFERS", "就诊凭证不是该参保人的", "druginfo.mdtrt_cert_no",
                            mask(bill.cert_no), "请核对凭证编号与人员编号；补换过卡的请用新卡"))
    faults += card_faults(bill.cert_type, row["card_state"], field="druginfo.mdtrt_cert_type")
    faults += standing_faults(
        insutype=bill.insutype, status=row["relation_status"], status_reason=row["relation_reason"],
        benefit_from=row["benefit_from"], benefit_to=row["benefit_to"], died_on=row["died_on"], on=bill.service_on,
    )
    home = row["admdvs"]
    if home is not None and bill.insured_place and bill.insured_place[:4] != home[:4]:
        faults.append(Fault("INSURED_PLACE_DIFFERS", f"参保人的参保地是{home}", "insuplc_admdvs", bill.insured_place,
                            "请按1101返回的参保地医保区划填写"))
    if home is not None and home != row["care_admdvs"]:
        faults.append(Fault("REMOTE_CARE_NOT_OFFERED",
                            f"参保人参保地是{home}，不属本机构所在统筹区{row['care_admdvs']}，异地购药直接结算尚未开通",
                            "druginfo.psn_no", bill.psn_no, "请自费结算后回参保地手工报销"))
    return faults


def _purchase_faults(bill: SaleBill) -> list[Fault]:
    faults = class_faults(bill.med_type, kind=SALE, name=bill.med_type_text, field="druginfo.med_type")
    if bill.service_on > business_date(bill.received_at):
        faults.append(Fault("SALE_IN_FUTURE", "购药时间晚于今天", "druginfo.begntime", f"{bill.service_on}", "请核对购药时间"))
    total = sum(x.amount_fen for x in bill.lines)
    if total != bill.medfee_fen:
        faults.append(Fault("TOTAL_DIFFERS", f"医疗费总额与明细合计{yuan_text(total)}元不一致", "druginfo.medfee_sumamt",
                            yuan_text(bill.medfee_fen), "请核对购药明细"))
    return faults + payment_faults(bill, setlway_text="药店购药")


def _fee_lines(
    bill: SaleBill, row: asyncpg.Record, terms: Mapping[str, ItemTerm], prescribed: Sequence[Prescribed],
    policy: RegionPolicy,
) -> tuple[FeeLine, ...] | Refusal:
    # What the hospital approved on the prescription counts; a pharmacy approves nothing by itself.
    approved = {(p.hi_rxno, p.item_code) for p in prescribed if p.is_approved}
    kept = []
    for sent in bill.lines:
        line = msgspec.structs.replace(sent, hosp_appr_flag=APPROVED) if (sent.rxno, sent.item_code) in approved else sent
        term = terms[line.item_code]
        split = split_line(line, term, policy, on=bill.service_on, insutype=bill.insutype, med_type=bill.med_type)
        if isinstance(split, Refusal):
            return split
        kept.append(kept_line(line, term, split, admdvs=row["admdvs"], batch=ONLY_BATCH, now=bill.received_at))
    return tuple(kept)


def _dispensed(line: FeeLine, bill: SaleBill) -> Dispensed:
    return Dispensed(
        line.psn_no, line.mdtrt_id, line.feedetl_sn, line.admdvs, line.rxno, line.item_code, bill.pharmacy,
        line.quantity_e4, bill.begin_at,
    )


def _encounter(row: asyncpg.Record, bill: SaleBill) -> Encounter:
    """Return the purchase as an encounter; nobody registered it, so its own id is its number."""
    return Encounter(
        psn_no=bill.psn_no, mdtrt_id=bill.mdtrt_id, admdvs=row["admdvs"], care_admdvs=row["care_admdvs"],
        fixmedins_code=bill.pharmacy, insutype=bill.insutype, psn_type=row["psn_type"], ipt_otp_no=bill.mdtrt_id,
        med_type=bill.med_type, begin_at=bill.begin_at, cert_type=bill.cert_type,
        cert_digest=sm3(bill.cert_no.encode()), atddr_no="", dr_name="", dept_code="", dept_name="", caty="",
        disease_code=bill.disease_code, disease_name=bill.disease_name, condition="", state="visited",
        opter=bill.opter, opter_name=bill.opter_name, registered_at=bill.received_at, exp_content=bill.exp_content,
    )


def _case(row: asyncpg.Record, bill: SaleBill, lines: Sequence[FeeLine]) -> Case:
    balance, recognised = row["balance_fen"], tuple(row["recognised"] or ())
    is_special = bill.med_type == SPECIAL_DRUG_PURCHASE
    return Case(
        admdvs=row["admdvs"], service_on=bill.service_on, insutype=bill.insutype, med_type=bill.med_type,
        person=person_of(row, bill.service_on), institution=institution_of(row), lines=_groups(lines),
        # The disease of a special drug is the prescription's; any other must be recognised to open anything.
        disease_code=bill.disease_code if is_special or bill.disease_code in recognised else "",
        counters=law_counters(
            zip(row["counter_codes"] or (), row["counter_used"] or (), strict=True), stay=bill.mdtrt_id, pregnancy=""
        ),
        account_balance=balance or 0, use_account=bill.account_use in OWN_FIRST and balance is not None, recognised=recognised,
    )


def _groups(lines: Sequence[FeeLine]) -> tuple[LineGroup, ...]:
    """Return the lines added up by group, in the order of the groups' names, as those of every other bill are."""
    sums: dict[str, list[int]] = {}
    for x in lines:
        parts = (x.amount_fen, x.own_fen, x.over_fen, x.first_fen, x.scope_fen)
        sums[x.line_group] = [a + b for a, b in zip(sums.get(x.line_group, [0] * len(parts)), parts, strict=True)]
    return tuple(
        LineGroup(amount, own, over, first, scope, group)
        for group, (amount, own, over, first, scope) in sorted(sums.items())
    )
