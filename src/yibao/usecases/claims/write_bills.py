"""Write decided receipts as settlements of the region's own desk, and undo them. The person is held by the caller.

Lines, stay, counters, posting, message and audit row stand as they do for every other settlement, so that statements,
explanation, replay and the twin hold; only the money goes to the person (``payout``) and not to an institution.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, time, timedelta

import msgspec

from yibao.domains.catalogue.model import ItemTerm
from yibao.domains.claims.model import STAY, Bill, Claim
from yibao.domains.claims.operations import change_bill
from yibao.domains.claims.queries import COUNTERS
from yibao.domains.encounters.model import Encounter, FeeLine
from yibao.domains.encounters.operations import INSERT_LINES, add_encounter
from yibao.domains.encounters.stays import Stay, add_stay
from yibao.domains.settlements.model import Settlement, from_row
from yibao.domains.settlements.rules import mirrored
from yibao.infra.database import Connection
from yibao.infra.digest import sm3
from yibao.infra.messages import MessageKey
from yibao.kernel.actor import AGENCY, Actor
from yibao.kernel.business_time import SHANGHAI, business_date
from yibao.kernel.clock import FixedClock
from yibao.kernel.ids import Ids
from yibao.kernel.money import div_half_up
from yibao.ledger.posting import Posting, claim_desk, mirror, settlement_posting
from yibao.usecases.claims.decide_bills import DecidedBill, SplitLine
from yibao.usecases.settlement.counters import kept_code, year_of
from yibao.usecases.settlement.settle_stay import Covers
from yibao.usecases.settlement.way import CLEARED_BY_ITEM, WRITE, WRITE_STAY
from yibao.usecases.settlement.write_settlement import Booking, write
from yibao.usecases.visits.fee_line import group_of

CLAIM = "CLAIM"
"""Stands as the number of the transaction with the messages of claims, and before their message ids."""
IDENTITY_CARD = "02"
NO_ACCOUNT = "0"
ONE_PERIOD = "1"
OTHER_CHARGE = "14"
"""Class of charge (``med_chrgitm_type``) of a line that no catalogue holds: other."""
_NOON = time(12)
LAST_SETTLED_AT = "select max(settled_at) from settlements.settlement where psn_no = $1"
REVERSAL = "select * from settlements.reversal_facts($1, $2)"
_FACTS = msgspec.json.Encoder()


class BillWriter:
    """Writes settlements and refunds of one claim, each a step later than the one before."""

    def __init__(
        self, tx: Connection, claim: Claim, *, actor: Actor, ids: Ids, used: Mapping[tuple[int, str], tuple[int, int | None]],
        at: datetime, balance_fen: int,
    ) -> None:
        self._tx, self._claim, self._actor, self._ids = tx, claim, actor, ids
        self._used = {key: fen for key, (fen, _) in used.items()}
        self._caps = {key: cap for key, (_, cap) in used.items()}
        self._at, self._balance = at, balance_fen

    @classmethod
    async def open(cls, tx: Connection, claim: Claim, *, actor: Actor, now: datetime, ids: Ids) -> BillWriter:
        """Begin after the newest settlement: the order of times is the order in which the year was counted."""
        newest = await tx.fetchval(LAST_SETTLED_AT, claim.psn_no)
        rows = await tx.fetch(COUNTERS, claim.psn_no, claim.insutype)
        balance = await tx.fetchval("select balance_fen from ledger.personal_account where psn_no = $1", claim.psn_no)
        return cls(
            tx, claim, actor=actor, ids=ids, at=max(now, newest or now), balance_fen=balance or 0,
            used={(r["year"], r["code"]): (r["used_fen"], r["cap_fen"]) for r in rows})

    async def settle(self, decided: Sequence[DecidedBill]) -> list[Bill]:
        """Settle receipts in the order given; return them as they are kept."""
        return [await self._settle(one) for one in decided]

    async def undo(self, bills: Sequence[Bill]) -> None:
        """Cancel the settlements of receipts, the one counted last first; money owed and counters go back."""
        for bill in sorted(bills, key=lambda b: b.setl_id, reverse=True):
            await self._undo(bill)

    async def _settle(self, one: DecidedBill) -> Bill:
        bill, claim, d = one.bill, self._claim, one.decision
        at, setl_id = self._next()
        kept_id = self._ids.new(at)
        await self._keep_care(one, kept_id, at)
        settlement = self._settlement(one, setl_id=setl_id, kept_id=kept_id, at=at)
        counters = (*d.counters, *d.exhausted)
        totals = []
        for code, change in zip(settlement.counter_codes, counters, strict=True):
            key = (year_of(code, d.year), code)
            self._used[key], self._caps[key] = self._used.get(key, 0) + change.delta, change.cap
            totals.append(self._used[key])
        booking = Booking(
            settlement=settlement,
            posting=settlement_posting(
                psn_no=claim.psn_no, setl_id=setl_id, admdvs=claim.admdvs, fixmedins_code=settlement.fixmedins_code,
                posted_at=at, funds=zip(settlement.fund_types, settlement.fund_amounts, strict=True), account_fen=0,
                cash_fen=settlement.cash_fen),
            counter_used=totals, counter_caps=[c.cap for c in counters], verb="settle_claim_bill",
            statement=WRITE_STAY if bill.care == STAY else WRITE, beside=self._covers(one, setl_id, kept_id))
        await self._write(booking, {"deed": "settle", "claim_id": claim.claim_id, "bill_no": bill.bill_no})
        return await change_bill(self._tx, bill, kept_id=kept_id, setl_id=setl_id, fund_fen=d.fund_total)

    async def _undo(self, bill: Bill) -> None:
        found = await self._tx.fetchrow(REVERSAL, bill.psn_no, bill.setl_id)
        assert found is not None
        origin = from_row(found["settlement"])
        at, setl_id = self._next()
        totals, caps = [], []
        for code, delta in zip(origin.counter_codes, origin.counter_deltas, strict=True):
            key = (year_of(code, origin.year), code)
            self._used[key] = self._used.get(key, 0) - delta
            totals.append(self._used[key])
            caps.append(self._caps.get(key))
        booking = Booking(
            settlement=mirrored(
                origin, setl_id=setl_id, kind="refund", state="active", settled_at=at, balance_fen=self._balance,
                sender=AGENCY, msgid=f"{CLAIM}-{setl_id}", opter=self._actor.login, opter_name=self._actor.login),
            posting=mirror(Posting(*tuple(found["posting"])), posting_id=setl_id, posted_at=at, kind="refund"),
            counter_used=totals, counter_caps=caps, verb="undo_claim_bill", origin_state="reversed")
        await self._write(booking, {"deed": "undo", "claim_id": self._claim.claim_id, "setl_id": origin.setl_id})

    def _settlement(self, one: DecidedBill, *, setl_id: str, kept_id: str, at: datetime) -> Settlement:
        bill, claim, d = one.bill, self._claim, one.decision
        counters = (*d.counters, *d.exhausted)
        funds = [f for f in d.funds if f.amount]
        return Settlement(
            psn_no=claim.psn_no, setl_id=setl_id, admdvs=claim.admdvs, care_admdvs=bill.care_admdvs, mdtrt_id=kept_id,
            chrg_bchno=ONE_PERIOD, fixmedins_code=claim_desk(claim.admdvs), insutype=claim.insutype, med_type=bill.med_type,
            benefit=d.benefit, year=d.year, service_on=one.case.service_on, settled_at=at, kind="settlement", state="active",
            origin_id=None, medfee_fen=d.amount, own_fen=d.own, over_fen=d.over, first_fen=d.first_pay, scope_fen=d.in_scope,
            deductible_fen=d.deductible, hifp_fen=d.fund("hifp_pay"), cvlserv_fen=d.fund("cvlserv_pay"),
            hifes_fen=d.fund("hifes_pay"), hifmi_fen=d.fund("hifmi_pay"), hifob_fen=d.fund("hifob_pay"),
            maf_fen=d.fund("maf_pay"), oth_fen=d.fund("oth_pay"), fund_fen=d.fund_total, person_fen=d.person_part,
            account_fen=0, shared_fen=0, cash_fen=d.cash, hospital_fen=d.hospital_part, balance_fen=self._balance,
            pool_ratio=d.pool_ratio, fund_types=[f.fund_pay_type for f in funds], fund_amounts=[f.amount for f in funds],
            counter_codes=[kept_code(c.code, stay=kept_id, pregnancy=one.pregnancy) for c in counters],
            counter_deltas=[c.delta for c in counters], facts=_FACTS.encode(one.case), policy_version=d.policy_version,
            account_use=NO_ACCOUNT, cert_type=IDENTITY_CARD, clr_type=d.clr_type, clr_way=CLEARED_BY_ITEM,
            clr_optins=claim.admdvs, invono=bill.bill_no, sender=AGENCY, msgid=f"{CLAIM}-{setl_id}",
            opter=self._actor.login, opter_name=self._actor.login,
        )

    async def _keep_care(self, one: DecidedBill, kept_id: str, at: datetime) -> None:
        """Keep the care behind a receipt: encounter, stay, lines; nobody but this desk can change them."""
        bill = one.bill
        encounter = _encounter(one, self._claim, kept_id, at)
        if bill.care == STAY:
            await add_stay(self._tx, encounter, Stay(
                psn_no=bill.psn_no, mdtrt_id=kept_id, admdvs=bill.admdvs, fixmedins_code=encounter.fixmedins_code,
                open_period=1, admitted_at=bill.begin_at, discharged_at=bill.end_at, discharge_way="", died_on=None,
                diagnosis_code=bill.disease_code, diagnosis_name=bill.disease_name, dept_code="", dept_name="", bed="",
                operation_code="", operation_name="", detail="{}", changed_at=at), ())
        else:
            await add_encounter(self._tx, encounter)
        await self._tx.execute(INSERT_LINES, [
            msgspec.structs.astuple(_fee_line(x, bill, kept_id, at, elsewhere=fen))
            for x, fen in zip(one.lines, _taken_first(one), strict=True)])

    def _covers(self, one: DecidedBill, setl_id: str, kept_id: str) -> tuple[object, ...]:
        bill = one.bill
        if bill.care != STAY:
            return ()
        return (msgspec.structs.astuple(Covers(
            psn_no=bill.psn_no, setl_id=setl_id, admdvs=bill.admdvs, mdtrt_id=kept_id, period_from=1, period_to=1,
            is_interim=False, begin_on=business_date(bill.begin_at), end_on=business_date(bill.end_at),
            admission=one.case.admission)),)

    def _next(self) -> tuple[datetime, str]:
        self._at += timedelta(microseconds=1)
        return self._at, self._ids.new(self._at)

    async def _write(self, booking: Booking, content: Mapping[str, str]) -> None:
        s = booking.settlement
        request = msgspec.json.encode({**content, "operator": self._actor.login, "setl_id": s.setl_id})
        key = MessageKey(sender=AGENCY, msgid=s.msgid, infno=CLAIM, admdvs=s.admdvs, digest=sm3(request), request=request,
                         received_at=self._at)
        reply = msgspec.json.encode({
            "setl_id": s.setl_id, "kind": s.kind, "medfee_fen": s.medfee_fen, "fund_fen": s.fund_fen, "cash_fen": s.cash_fen,
            "policy_version": s.policy_version})
        await write(self._tx, booking, key=key, reply=reply, clock=FixedClock(self._at))


def _encounter(one: DecidedBill, claim: Claim, kept_id: str, at: datetime) -> Encounter:
    """Return the care as an encounter of the desk; nobody registered it, so its own id is its number."""
    bill = one.bill
    return Encounter(
        psn_no=bill.psn_no, mdtrt_id=kept_id, admdvs=bill.admdvs, care_admdvs=bill.care_admdvs,
        fixmedins_code=claim_desk(claim.admdvs), insutype=claim.insutype, psn_type=one.psn_type, ipt_otp_no=kept_id,
        med_type=bill.med_type, begin_at=bill.begin_at, cert_type=IDENTITY_CARD, cert_digest=sm3(claim.claim_id.encode()),
        atddr_no="", dr_name="", dept_code="", dept_name=bill.institution_name, caty="", disease_code=bill.disease_code,
        disease_name=bill.disease_name, condition="", state="discharged" if bill.care == STAY else "visited",
        opter=claim.entered_by, opter_name=claim.entered_by, registered_at=at, maternity=bill.maternity,
        pregnancy_months=bill.pregnancy_months, foetuses=bill.foetuses)


def _taken_first(one: DecidedBill) -> list[int]:
    """Return what each line bears of the share that is taken first away from home; together exactly what was decided.

    The whole is rounded once; lines share it by their in-scope cost, each up to the running sum.
    """
    whole = one.decision.first_pay - sum(x.split.first_pay for x in one.lines)
    scope = sum(x.split.in_scope for x in one.lines)
    shares, running, taken = [], 0, 0
    for x in one.lines:
        running += x.split.in_scope
        upto = div_half_up(running * whole, scope) if scope else 0
        shares.append(upto - taken)
        taken = upto
    return shares


def _fee_line(one: SplitLine, bill: Bill, kept_id: str, at: datetime, *, elsewhere: int) -> FeeLine:
    """Return a line as it is kept; ``elsewhere`` is its part of what is taken first away from home, fen."""
    line, term, split = one.line, one.term, one.split
    is_first_day = line.occurred_on == business_date(bill.begin_at)
    return FeeLine(
        psn_no=bill.psn_no, mdtrt_id=kept_id, feedetl_sn=f"{line.line_no}", admdvs=bill.admdvs, chrg_bchno=ONE_PERIOD,
        disease_code=bill.disease_code, rxno="", outside_rx=False,
        occurred_at=bill.begin_at if is_first_day else datetime.combine(line.occurred_on, _NOON, SHANGHAI),
        item_code=line.item_code, local_code="", item_name=term.name if term else line.item_name,
        list_type=term.list_type if term else line.list_type, charge_type=_charge_type(term),
        class_level=term.class_level if term else "03", price_micro=line.price_micro, quantity_e4=line.quantity_e4,
        amount_fen=line.amount_fen, limit_micro=term.limit_micro if term else None, first_pay=split.first_pay_ratio,
        own_fen=split.own, over_fen=split.over, first_fen=split.first_pay + elsewhere,
        scope_fen=split.in_scope - elsewhere,
        restricted=term.restricted if term else False, hosp_appr_flag=line.approval, reason=split.reason,
        catalogue_version=term.version if term else "", dept_code="", dept_name="", doctor_code="", doctor_name="",
        detail=msgspec.json.encode({"remote_first_fen": elsewhere}).decode() if elsewhere else "{}", uploaded_at=at,
        line_group=group_of(negotiated=term.negotiated) if term else "")


def _charge_type(term: ItemTerm | None) -> str:
    return term.charge_type if term else OTHER_CHARGE
