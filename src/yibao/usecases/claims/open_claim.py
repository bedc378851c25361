"""Take a claim in: its receipts are held against every other way of being paid, its application starts the clock."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta

import msgspec

from yibao.domains.claims.kinds import Kind, kinds, words
from yibao.domains.claims.model import ENTERED, Bill, Claim, Line
from yibao.domains.claims.operations import add_claim, take_numbers
from yibao.domains.deadlines.rules import Due
from yibao.domains.encounters.operations import move_person
from yibao.domains.episodes.operations import claim_episode
from yibao.domains.episodes.queries import find_episode
from yibao.domains.services.queries import find_person
from yibao.infra.database import Connection
from yibao.kernel.actor import Actor
from yibao.kernel.business_time import business_date
from yibao.kernel.ids import Ids
from yibao.kernel.refusal import Fault, Refusal, refuse
from yibao.policy.law.parameters import RegionPolicy
from yibao.policy.reckoning.filings import filing_row, months_after
from yibao.usecases.claims.commands import OpenClaim
from yibao.usecases.claims.desk import hold_person
from yibao.usecases.claims.duplicates import duplicate_faults
from yibao.usecases.claims.read_bills import read_bills
from yibao.usecases.claims.window_of import days_of, window_of
from yibao.usecases.deadlines.clocks import due_by, keep_move
from yibao.usecases.services.commands import SubmitApplication
from yibao.usecases.services.submit_application import submit_application
from yibao.usecases.settlement.shelf import PolicyShelf
from yibao.usecases.trail import write_trail
from yibao.usecases.windows.pass_gate import NO_GATE, Gate

PERSON = "person"


class Checked(msgspec.Struct, frozen=True):
    """What was found about the receipts of a claim before it is taken in; ``dues`` are their last days and what moved them."""

    hints: Sequence[str]
    visits: Mapping[int, str]
    episodes: Mapping[int, str]
    plan: str = ""
    rule: str = ""
    claim_by: date | None = None
    dues: Sequence[Due] = ()


async def open_claim(
    tx: Connection, command: OpenClaim, *, actor: Actor, now: datetime, ids: Ids, shelf: PolicyShelf, gate: Gate = NO_GATE
) -> Claim | Refusal:
    """Take a claim in with its receipts, and submit its application; refused with every fault found.

    A receipt that was settled, backfilled or claimed, that shows another amount than before, or that an institution is to
    backfill is refused. Papers may be missing: the application asks for them once.
    """
    person = await find_person(tx, command.psn_no)
    if person is None or person["admdvs"] not in actor.regions:
        return refuse("PERSON_NOT_FOUND", "本统筹区没有这个参保人", field="psn_no", received=command.psn_no,
                      remedy="请核对人员编号")
    await hold_person(tx, command.psn_no)
    kind, faults = kinds().get(command.kind), _word_faults(command)
    if kind is None:
        return Refusal(tuple(faults))
    claim_id, admdvs = ids.new(now), person["admdvs"]
    bills, lines, wrong = await read_bills(
        tx, command.bills, kind=kind, psn_no=command.psn_no, claim_id=claim_id, admdvs=admdvs, now=now)
    faults += wrong
    if faults:
        return Refusal(tuple(faults))
    checked = await _check(tx, command, bills, shelf=shelf, gate=gate, today=business_date(now))
    if isinstance(checked, Refusal):
        return checked
    bills, found = checked
    return await file_claim(
        tx, command, kind=kind, claim_id=claim_id, admdvs=admdvs, name=person["name"], bills=bills, lines=lines,
        checked=found, actor=actor, now=now, ids=ids, gate=gate)


async def file_claim(
    tx: Connection, command: OpenClaim, *, kind: Kind, claim_id: str, admdvs: str, name: str, bills: Sequence[Bill],
    lines: Sequence[Line], checked: Checked, actor: Actor, now: datetime, ids: Ids, appeal_of: str = "",
    gate: Gate = NO_GATE,
) -> Claim | Refusal:
    """Submit the application and write the claim; episodes of a window are held by it from now on."""
    application = await submit_application(tx, SubmitApplication(
        admdvs=admdvs, item_code=kind.item_code, applicant_kind=PERSON, applicant_name=name, channel=command.channel,
        body={"claim_id": claim_id}, applicant_no=command.psn_no, phone=command.phone, materials=command.materials,
        division=command.division,
    ), actor=actor, now=now, ids=ids, gate=gate)
    if isinstance(application, Refusal):
        return application
    claim = Claim(
        psn_no=command.psn_no, claim_id=claim_id, admdvs=admdvs, division=application.division, kind=kind.kind,
        application_id=application.application_id, insutype=command.insutype, cause=command.cause, plan=checked.plan,
        rule=checked.rule, payee_name=command.payee_name.strip(), bank_name=command.bank_name.strip(),
        bank_account=command.bank_account.strip(), claim_by=checked.claim_by, state=ENTERED,
        total_fen=sum(bill.total_fen for bill in bills), warnings=list(checked.hints), appeal_of=appeal_of,
        entered_by=actor.login, entered_at=now)
    await add_claim(tx, claim, bills, lines)
    for episode_id in checked.episodes.values():
        episode = await find_episode(tx, command.psn_no, episode_id, lock=True)
        if episode is not None:
            await claim_episode(tx, episode, claim_id=claim_id, now=now, actor=actor.login, channel=actor.channel)
    for due in checked.dues:
        await keep_move(tx, due, object_kind="claim", object_id=claim_id, admdvs=admdvs, psn_no=command.psn_no, now=now)
    # Settlements that were being decided without knowing of the claim begin anew.
    await move_person(tx, command.psn_no)
    await write_trail(tx, actor, verb="open_claim", object_id=claim_id, admdvs=admdvs, state=(claim, bills), now=now, ids=ids,
                      rule=f"{claim.plan} {claim.rule}".strip())
    return claim


def _word_faults(command: OpenClaim) -> list[Fault]:
    faults = []
    if command.kind not in kinds():
        faults.append(Fault("CLAIM_KIND_UNKNOWN", "没有这种手工报销", "kind", command.kind[:40],
                            "可填：" + "、".join(f"{k.kind}{k.title}" for k in kinds().values())))
    if command.cause not in words().causes:
        faults.append(Fault("CAUSE_UNKNOWN", "没有这种手工报销原因", "cause", command.cause[:40],
                            "可填：" + "、".join(f"{code}{text}" for code, text in words().causes.items())))
    for field, value, title in (
        ("payee_name", command.payee_name, "收款人"), ("bank_name", command.bank_name, "开户行"),
        ("bank_account", command.bank_account, "收款账号"),
    ):
        if not value.strip():
            faults.append(Fault("PAYEE_INCOMPLETE", f"缺少{title}", field, remedy=f"请补充{title}"))
    return faults


async def _check(
    tx: Connection, command: OpenClaim, bills: Sequence[Bill], *, shelf: PolicyShelf, gate: Gate, today: date
) -> tuple[list[Bill], Checked] | Refusal:
    """Hold the receipts against other claims, settlements, windows and the last day of the law."""
    await take_numbers(tx, [f"{bill.party}/{bill.bill_no}" for bill in bills])
    faults, hints, visits, episodes = await duplicate_faults(tx, bills, today=today)
    kept: list[Bill] = []
    plan = rule = ""
    claim_by: date | None = None
    dues: list[Due] = []
    policy = shelf.of(bills[0].admdvs)
    if isinstance(policy, Refusal):
        return policy
    for i, bill in enumerate(bills):
        found, wrong = window_of(
            bill, gate, insutype=command.insutype, cause=command.cause, today=today, at=f"bills[{i}]")
        faults += [f for f in wrong if not any(x.code == f.code and x.field == f.field for x in faults)]
        if found is not None:
            plan, rule = plan or found.plan, rule or found.rule
        kept.append(msgspec.structs.replace(
            bill, mdtrt_id=visits.get(bill.ordinal, ""), rate=found.rate if found is not None else ""))
        due, late = await _last_day(tx, bill, policy, insutype=command.insutype, today=today, at=f"bills[{i}]")
        faults += late
        if due is not None:
            dues.append(due)
            claim_by = due.due_on if claim_by is None else min(claim_by, due.due_on)
    return Refusal(tuple(faults)) if faults else (kept, Checked(hints, visits, episodes, plan, rule, claim_by, dues))


async def _last_day(
    tx: Connection, bill: Bill, policy: RegionPolicy, *, insutype: str, today: date, at: str
) -> tuple[Due | None, list[Fault]]:
    """Return the last day on which a receipt may be claimed, moved where a window moved it, and the fault of being late."""
    end = days_of(bill)[1]
    row = filing_row(policy, "claim_within", end, insutype=insutype)
    if row is None:
        return None, []
    due = await due_by(
        tx, admdvs=bill.admdvs, clock="claim", due_on=last_day(end, row.number, row.word), begun_on=end,
        business="manual_claim", psn_no=bill.psn_no)
    if today <= due.due_on:
        return due, []
    basis = "；".join([f"{row.used.rule} {row.used.clause}", *(m.rule for m in due.moves)])
    return due, [Fault("CLAIM_TOO_LATE", f"已超过手工报销期限{due.due_on}", f"{at}.end_at", f"{end}",
                              "超过期限的费用不予报销；有不可抗力的请书面说明并由经办机构按规定处理", basis)]


def last_day(end: date, number: int, unit: str) -> date:
    """Return the last day to claim care that ended on a day: by years to the end of a calendar year, else to the day."""
    if unit == "年":
        return date(end.year + number, 12, 31)
    return months_after(end, number) if unit == "个月" else end + timedelta(days=number)
