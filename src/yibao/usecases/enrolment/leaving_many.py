"""Many leavers of one employer at once: read in a few statements, judged one by one, written together."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import msgspec

from yibao.domains.enrolment.model import Employer, Relation
from yibao.domains.enrolment.operations import Ending, end_relations
from yibao.domains.enrolment.queries import relations_of
from yibao.domains.people.model import Person
from yibao.domains.people.queries import known_by_documents
from yibao.domains.people.rules import tidy_number
from yibao.infra.database import Connection
from yibao.kernel.actor import Actor
from yibao.kernel.business_time import business_date
from yibao.kernel.identity_number import mask
from yibao.kernel.ids import Ids
from yibao.kernel.refusal import Fault, Refusal
from yibao.usecases.enrolment.commands import RemoveMember
from yibao.usecases.enrolment.ending import Ended, cancel_later_dues, ending_of
from yibao.usecases.enrolment.finding import refuse_outside
from yibao.usecases.enrolment.remove_member import leaves_on, leaving_faults, leaving_relation, name_faults
from yibao.usecases.entitlement.refresh import refresh_entitlement
from yibao.usecases.settlement.shelf import PolicyShelf


class _Known(msgspec.Struct, frozen=True):
    person: Person
    relations: Sequence[Relation]


async def end_many(
    tx: Connection, commands: Sequence[RemoveMember], *, employer: Employer, actor: Actor, now: datetime, ids: Ids,
    shelf: PolicyShelf,
) -> list[Ended | tuple[Fault, ...]]:
    """End the relations of leavers through one employer and answer each; the caller writes the audit row."""
    known = await _known(tx, commands, employer)
    answers: list[Ended | tuple[Fault, ...]] = []
    endings: list[tuple[Relation, Ending]] = []
    seen: set[str] = set()
    for command in commands:
        judged = _judge(command, known.get((command.cert_type, tidy_number(command.certno))), seen, actor=actor, now=now)
        if isinstance(judged, tuple):
            answers.append(judged)
            continue
        ending = ending_of(judged, on=leaves_on(command, judged), cause=command.cause, is_ended=command.is_ended, now=now)
        seen.add(judged.psn_no)
        endings.append((judged, ending))
        answers.append(Ended(judged.psn_no, (judged.relation_id,), ending.paused_on))
    await end_relations(tx, [ending for _, ending in endings])
    for relation, ending in endings:
        done = await cancel_later_dues(tx, relation, until=ending.paused_on, cause=ending.cause, actor=actor, now=now, ids=ids,
                                       shelf=shelf)
        assert not isinstance(done, Refusal), "dues of an ended relation can be cancelled"
    if endings:
        await refresh_entitlement(tx, [relation.psn_no for relation, _ in endings], now=now, shelf=shelf)
    return answers


async def _known(
    tx: Connection, commands: Sequence[RemoveMember], employer: Employer
) -> dict[tuple[str, str], _Known]:
    persons: dict[tuple[str, str], Person] = {}
    for cert_type in sorted({c.cert_type for c in commands}):
        numbers = [tidy_number(c.certno) for c in commands if c.cert_type == cert_type]
        found = await known_by_documents(tx, admdvs=employer.admdvs, cert_type=cert_type, certnos=numbers)
        persons |= {(cert_type, number): person for number, person in found.items()}
    relations = await relations_of(tx, [p.psn_no for p in persons.values()])
    return {document: _Known(p, relations.get(p.psn_no, ())) for document, p in persons.items()}


def _judge(
    command: RemoveMember, known: _Known | None, seen: set[str], *, actor: Actor, now: datetime
) -> Relation | tuple[Fault, ...]:
    if known is None:
        return (Fault("PERSON_NOT_FOUND", "没有这个参保人", "certno", mask(command.certno), "请核对证件号码"),)
    person = known.person
    if person.psn_no in seen:
        return (Fault("TWICE_IN_FILE", "同一证件在本表中出现多次", "certno", remedy="请只保留一行"),)
    outside = refuse_outside(actor, admdvs=person.admdvs, division=person.division, field="certno")
    faults = [*(outside.faults if outside else ()), *name_faults(command, person)]
    relation = leaving_relation(known.relations, command)
    if isinstance(relation, Fault):
        return (*faults, relation)
    faults += leaving_faults(command, relation, today=business_date(now))
    return tuple(faults) or relation
