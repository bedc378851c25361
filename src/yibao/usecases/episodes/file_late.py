"""File care away from home after the stop, back to the day of admission, as long as the person is still in hospital."""

from __future__ import annotations

from datetime import date, datetime, timedelta

from yibao.domains.enrolment.queries import find_relation
from yibao.domains.episodes import operations, queries
from yibao.domains.episodes.model import REMOTE_KINDS, Episode, RemoteFiling
from yibao.domains.episodes.rules import place_of
from yibao.domains.people.queries import find_person
from yibao.domains.registers.model import DONE, LATE_FILING, NewEntry
from yibao.domains.windows.gate import money_rule, rule_of
from yibao.domains.windows.model import Asked, Plan, Rule
from yibao.domains.windows.words import restart_says
from yibao.infra.database import Connection
from yibao.kernel.actor import Actor
from yibao.kernel.business_time import business_date
from yibao.kernel.ids import Ids
from yibao.kernel.refusal import Fault, Refusal, refuse
from yibao.usecases.episodes.commands import FileLate
from yibao.usecases.registers.add_entry import add_entry
from yibao.usecases.registers.close_entry import close_entry
from yibao.usecases.trail import write_trail
from yibao.usecases.windows.pass_gate import Gate

BUSINESS = "remote_inpatient"
STILL_IN, DISCHARGED = "P9", "P8"
RESTART_DAYS = "restart_days"


async def file_late(
    tx: Connection, command: FileLate, *, actor: Actor, now: datetime, ids: Ids, gate: Gate
) -> RemoteFiling | Refusal:
    """File a stay away from home that began before the restart, with its row in the book.

    Refused where the stop still lasts, where the plan lets nobody file late, where the person has left the hospital (the
    plan's way for that is named), and where a filing holds already.
    """
    await operations.lock_person(tx, command.psn_no)
    person = await find_person(tx, command.psn_no)
    relation = await find_relation(tx, command.psn_no, insutype=command.insutype, on=command.admitted_on)
    if person is None or relation is None or relation["admdvs"] not in actor.regions:
        return refuse("PERSON_NOT_FOUND", "没有该参保人在本统筹区的参保关系", field="psn_no", received=command.psn_no,
                      remedy="请由参保地经办机构办理")
    admdvs = relation["admdvs"]
    episode = await queries.find_episode(tx, command.psn_no, command.episode_id) if command.episode_id else None
    faults = _form_faults(command, admdvs, episode, today=business_date(now))
    if faults:
        return Refusal(tuple(faults))
    rule = _rule(gate, command, admdvs, relation["psn_type"], episode, now)
    if isinstance(rule, Refusal):
        return rule
    plan, late = rule
    held = await queries.find_remote_filing(tx, psn_no=command.psn_no, care_admdvs=command.care_admdvs,
                                            on=command.admitted_on)
    if held is not None:
        return refuse("FILING_REPEATED", f"已有有效的备案（{held.filing_id}）", field="care_admdvs", received=command.care_admdvs,
                      remedy="无需重复备案")
    filing_id = ids.new(now)
    register_no = await _row(tx, command, episode, plan, name=person["name"], admdvs=admdvs, filing_id=filing_id,
                             actor=actor, now=now, ids=ids)
    if isinstance(register_no, Refusal):
        return register_no
    filing = RemoteFiling(
        psn_no=command.psn_no, filing_id=filing_id, admdvs=admdvs, insutype=command.insutype, kind=command.kind,
        care_admdvs=command.care_admdvs, fixmedins_code=command.fixmedins_code, institution_name=command.institution_name,
        valid_from=command.admitted_on, valid_to=None, plan=plan.name, rule_id=late.id, register_no=register_no,
        episode_id=command.episode_id, filed_at=now, filed_by=actor.login,
    )
    await operations.add_remote_filing(tx, filing)
    if episode is not None:
        await operations.add_step(tx, episode, what="filed_late", now=now, actor=actor.login, channel=actor.channel,
                                  says=filing_id)
    await write_trail(tx, actor, verb="file_late", object_id=filing_id, admdvs=admdvs, state=filing, now=now, ids=ids,
                      rule=late.id)
    return filing


def _form_faults(c: FileLate, admdvs: str, episode: Episode | None, *, today: date) -> list[Fault]:
    faults = []
    if c.kind not in REMOTE_KINDS:
        faults.append(Fault("REMOTE_KIND", "没有这种异地就医类型", "kind", c.kind[:40], f"可用：{'、'.join(REMOTE_KINDS)}"))
    if place_of(admdvs, c.care_admdvs) == "local":
        faults.append(Fault("NOT_REMOTE", "就医地就是参保地，无需异地备案", "care_admdvs", c.care_admdvs, "请核对就医地区划"))
    if c.admitted_on > today:
        faults.append(Fault("VISIT_IN_FUTURE", "入院日期晚于今天", "admitted_on", f"{c.admitted_on}", "请核对入院日期"))
    if c.episode_id and (episode is None or episode.psn_no != c.psn_no):
        faults.append(Fault("EPISODE_NOT_FOUND", "没有这个停机期间病例", "episode_id", c.episode_id, "请核对病例编号"))
    return faults


def _rule(
    gate: Gate, c: FileLate, admdvs: str, psn_type: str, episode: Episode | None, now: datetime
) -> tuple[Plan, Rule] | Refusal:
    plan = gate.plan_for(admdvs, now)
    track = plan.track_of(BUSINESS) if plan is not None else None
    if plan is None or track is None:
        return refuse("LATE_FILING_NOT_OPEN", "没有停机方案准许补办备案", field="admitted_on", received=f"{c.admitted_on}",
                      remedy="请按正常程序办理异地就医备案")
    asked = Asked(business=BUSINESS, admdvs=admdvs, channel="window", care_admdvs=c.care_admdvs, insutype=c.insutype,
                  psn_type=psn_type, fixmedins_code=c.fixmedins_code, visit_class="inpatient", position=STILL_IN)
    basis = f"{plan.name} v{plan.version}"
    if now < track.stop or track.restart is None or now < track.restart:
        return refuse("LATE_FILING_NOT_YET", "系统恢复后才能补办备案", field="admitted_on", received=f"{c.admitted_on}",
                      remedy=f"请在恢复后（{restart_says(track)}）出院前补办", basis=basis)
    late = rule_of(plan, asked, "late_file", now)
    if late is None or c.admitted_on >= business_date(track.restart):
        return refuse("LATE_FILING_NOT_OPEN", "停机方案没有准许这次住院补办备案", field="admitted_on",
                      received=f"{c.admitted_on}", remedy="请按正常程序办理异地就医备案", basis=basis)
    left = c.discharged_on or (business_date(episode.end_at) if episode is not None and episode.end_at else None)
    if left is not None:
        by_hand = money_rule(plan, _at(asked, DISCHARGED))
        return refuse("LATE_FILING_DISCHARGED", f"已于{left}出院，不能补办备案", field="discharged_on", received=f"{left}",
                      remedy=by_hand.says if by_hand is not None else "请携材料到参保地经办机构办理手工报销",
                      basis=f"{basis} {by_hand.id if by_hand is not None else late.id}")
    days = late.terms.get("days")
    if late.terms.get("until") == RESTART_DAYS and isinstance(days, int):
        last = business_date(track.restart) + timedelta(days=days - 1)
        if business_date(now) > last:
            return refuse("LATE_FILING_OVER", f"补办备案的期限是{last}", field="admitted_on", received=f"{c.admitted_on}",
                          remedy="请携材料到参保地经办机构办理手工报销", basis=f"{basis} {late.id}")
    return plan, late


def _at(asked: Asked, position: str) -> Asked:
    return Asked(business=asked.business, admdvs=asked.admdvs, channel="gateway", care_admdvs=asked.care_admdvs,
                 insutype=asked.insutype, psn_type=asked.psn_type, visit_class=asked.visit_class, position=position)


async def _row(
    tx: Connection, c: FileLate, episode: Episode | None, plan: Plan, *, name: str, admdvs: str, filing_id: str,
    actor: Actor, now: datetime, ids: Ids,
) -> str | Refusal:
    """Return the number of the row in the book of late filings, which ends with the filing."""
    origin = f"episode/{episode.episode_id}" if episode is not None else f"late-filing/{filing_id}"
    entry = await add_entry(tx, NewEntry(
        admdvs=admdvs, kind=LATE_FILING, plan=plan.name, applicant_name=c.applicant_name.strip() or name,
        business="remote_filing", psn_no=c.psn_no, phone=c.phone, effective_on=c.admitted_on, origin=origin,
        body={"care_admdvs": c.care_admdvs, "institution_name": c.institution_name, "kind": c.kind},
        papers=tuple(c.papers),
    ), actor=actor, now=now, ids=ids)
    if isinstance(entry, Refusal):
        return entry
    if entry.is_open:
        closed = await close_entry(tx, entry.register_no, state=DONE, result=filing_id, now=now, actor=actor, ids=ids)
        if isinstance(closed, Refusal):
            return closed
    return entry.register_no
