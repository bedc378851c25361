"""Declare bases: of one person, or of an employer's people at once; the law's floor and ceiling are told, not hidden."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime

import asyncpg
import msgspec

from yibao.domains.contributions import operations
from yibao.domains.contributions.model import Base
from yibao.domains.contributions.rules import month_after
from yibao.infra.database import Connection
from yibao.kernel.actor import Actor
from yibao.kernel.ids import Ids
from yibao.kernel.money import yuan_text
from yibao.kernel.refusal import Fault, Refusal
from yibao.policy.law.parameters import RegionPolicy
from yibao.policy.reckoning.cases import DuesCase
from yibao.policy.reckoning.reckon import reckon
from yibao.usecases.contributions.assessing import kind_of
from yibao.usecases.settlement.shelf import PolicyShelf
from yibao.usecases.trail import write_trail

# Whoever is insured in the first month, with the month up to which dues stand that a new base would contradict.
RELATIONS = """
select r.psn_no, r.relation_id, r.admdvs, r.psn_type, r.account_kind, r.enrolment_kind, r.flexible,
    coalesce(r.emp_no, '') as emp_no,
    (select max(d.month) from contributions.due d where d.psn_no = r.psn_no and d.relation_id = r.relation_id
        and d.insutype = '310' and d.kind in ('regular', 'back') and d.state not in ('cancelled', 'refunded') and d.month >= $2
    ) as assessed
from enrolment.relation r
where r.psn_no = any($1::text[]) and r.insutype = '310' and r.insured_on < $3 and (r.paused_on is null or r.paused_on > $2)
order by r.psn_no, r.insured_on
"""


class DeclareBase(msgspec.Struct, frozen=True, kw_only=True):
    """One person's monthly wage in fen from a month on; ``relation_id`` '' means the relation of that month."""

    psn_no: str
    valid_from: date
    wage_fen: int
    relation_id: str = ""


class BaseRow(msgspec.Struct, frozen=True, kw_only=True):
    """One line of an employer's declaration; fen."""

    psn_no: str
    wage_fen: int


class DeclareBases(msgspec.Struct, frozen=True, kw_only=True):
    """An employer's declaration for a month on: all of it is taken, or nothing."""

    emp_no: str
    valid_from: date
    rows: tuple[BaseRow, ...]


class Adjusted(msgspec.Struct, frozen=True):
    """A base that the law's floor or ceiling changed; fen."""

    psn_no: str
    wage_fen: int
    base_fen: int
    adjusted: str


class Declared(msgspec.Struct, frozen=True):
    """How many bases were declared, and those that the law's band changed."""

    declared: int
    adjusted: tuple[Adjusted, ...]


async def declare_base(
    tx: Connection, command: DeclareBase, *, actor: Actor, now: datetime, ids: Ids, shelf: PolicyShelf
) -> Declared | Refusal:
    """Declare one person's base; see ``declare_bases``."""
    row = BaseRow(psn_no=command.psn_no, wage_fen=command.wage_fen)
    return await _declare(tx, [row], command.valid_from, "", command.relation_id, actor=actor, now=now, ids=ids, shelf=shelf)


async def declare_bases(
    tx: Connection, command: DeclareBases, *, actor: Actor, now: datetime, ids: Ids, shelf: PolicyShelf
) -> Declared | Refusal:
    """Declare the bases of an employer's people. Refused with all faults and nothing half.

    The wage is kept as declared; each month's law holds it within its own floor and ceiling, and what they change today is
    told. A month that is assessed already is not declared anew: its dues are cancelled first, or paid as they are.
    """
    return await _declare(tx, command.rows, command.valid_from, command.emp_no, "", actor=actor, now=now, ids=ids, shelf=shelf)


async def _declare(
    tx: Connection, rows: Sequence[BaseRow], valid_from: date, emp_no: str, relation_id: str, *, actor: Actor, now: datetime,
    ids: Ids, shelf: PolicyShelf,
) -> Declared | Refusal:
    if valid_from.day != 1 or not rows:
        return Refusal((Fault("MONTH_WRONG", "起始月份应为当月第一天，且至少一人", "valid_from", valid_from.isoformat()),))
    found: dict[str, asyncpg.Record] = {}
    for held in await tx.fetch(RELATIONS, sorted({r.psn_no for r in rows}), valid_from, month_after(valid_from)):
        if (not emp_no or held["emp_no"] == emp_no) and (not relation_id or held["relation_id"] == relation_id):
            found[held["psn_no"]] = held
    faults: list[Fault] = []
    bases: list[Base] = []
    seen: set[str] = set()
    for n, row in enumerate(rows):
        answer = _base(row, found.get(row.psn_no), valid_from, f"rows[{n}]", seen, actor, now, shelf)
        if isinstance(answer, Base):
            bases.append(answer)
        else:
            faults += answer
        seen.add(row.psn_no)
    if faults:
        return Refusal(tuple(faults))
    await operations.put_base(tx, bases)
    done = Declared(len(bases), tuple(Adjusted(b.psn_no, b.wage_fen, b.base_fen, b.adjusted) for b in bases if b.adjusted))
    await write_trail(tx, actor, verb="declare_base", object_id=emp_no or rows[0].psn_no, admdvs=bases[0].admdvs,
                      state=[(b.psn_no, b.wage_fen) for b in bases], now=now, ids=ids, rule=bases[0].policy_version)
    return done


def _base(
    row: BaseRow, relation: asyncpg.Record | None, valid_from: date, field: str, seen: set[str], actor: Actor, now: datetime,
    shelf: PolicyShelf,
) -> Base | list[Fault]:
    if row.psn_no in seen:
        return [Fault("PERSON_TWICE", "同一人员重复出现", f"{field}.psn_no", row.psn_no, "请只保留一行")]
    if relation is None:
        return [Fault("NOT_A_MEMBER", "该月没有职工参保关系，或不是该单位的职工", f"{field}.psn_no", row.psn_no,
                      "请先办理参保登记")]
    if row.wage_fen <= 0:
        return [Fault("WAGE_WRONG", "缴费工资应大于零", f"{field}.wage_fen", yuan_text(row.wage_fen), "请核对工资")]
    if relation["assessed"] is not None:
        return [Fault("MONTH_ASSESSED", f"{relation['assessed']:%Y-%m} 已核定", f"{field}.psn_no", row.psn_no,
                      "请从未核定的月份起申报，或先作废未缴的应缴")]
    policy = shelf.of(relation["admdvs"])
    if isinstance(policy, Refusal):
        return list(policy.faults)
    held = _held(row, relation, valid_from, policy)
    if isinstance(held, Refusal):
        return [msgspec.structs.replace(f, field=f"{field}.{f.field}") for f in held.faults]
    adjusted = "floor" if held > row.wage_fen else "ceiling" if held < row.wage_fen else ""
    return Base(row.psn_no, relation["relation_id"], valid_from, policy.admdvs, relation["emp_no"], row.wage_fen, held, adjusted,
                now, actor.login, policy.version)


def _held(row: BaseRow, relation: asyncpg.Record, valid_from: date, policy: RegionPolicy) -> int | Refusal:
    """Return the base that the law of the first month makes of a wage; the wage itself where no rate is of the base."""
    answer = reckon(DuesCase(
        admdvs=policy.admdvs, on=valid_from, insutype="310", psn_type=relation["psn_type"],
        account_kind=relation["account_kind"], enrolment_kind=kind_of(relation), wage=row.wage_fen,
    ), policy, trace=False)
    if isinstance(answer, Refusal):
        return answer
    return dict(answer.amounts).get("base", row.wage_fen)
