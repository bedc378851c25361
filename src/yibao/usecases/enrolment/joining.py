"""Begin relations: one person or a thousand, read in a few statements, judged one by one, written together."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date, datetime

import msgspec

from yibao.domains.enrolment.causes import ENDS
from yibao.domains.enrolment.model import ENDED, NORMAL, Relation
from yibao.domains.enrolment.operations import Ending, add_relations, end_relations
from yibao.domains.enrolment.queries import enrolled_elsewhere, relations_of
from yibao.domains.people.model import Doubt, Person
from yibao.domains.people.operations import add_persons, open_doubts, take_documents
from yibao.domains.people.queries import known_by_documents, list_alike
from yibao.domains.people.rules import tidy_number
from yibao.infra.database import Connection
from yibao.infra.digest import sm3
from yibao.kernel.actor import Actor
from yibao.kernel.business_time import business_date
from yibao.kernel.ids import Ids
from yibao.kernel.refusal import Fault, Refusal
from yibao.usecases.enrolment.assisted_waiting import give_waiting_identities
from yibao.usecases.enrolment.ending import cancel_later_dues
from yibao.usecases.enrolment.judging import Contradiction, Known, Plan, Wish, judge
from yibao.usecases.entitlement.refresh import refresh_entitlement
from yibao.usecases.settlement.shelf import PolicyShelf
from yibao.usecases.trail import write_trail

NOT_YET = "尚未缴费"
"""What a relation says of its benefit until the entitlement has been made."""


class Begun(msgspec.Struct, frozen=True):
    """A relation that began; ``ended`` are the relations that ended for it, ``notes`` what the clerk should know."""

    psn_no: str
    relation_id: str
    insured_on: date
    is_new_person: bool
    ended: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


class Held(msgspec.Struct, frozen=True):
    """Nothing was enrolled: who this is, is in doubt, and a case to work was opened."""

    doubt_id: str
    faults: tuple[Fault, ...]


Answer = Begun | Held | Refusal


async def begin_one(
    tx: Connection, wish: Wish, *, admdvs: str, verb: str, actor: Actor, now: datetime, ids: Ids, shelf: PolicyShelf
) -> Answer:
    """Begin one relation and write its audit row."""
    (answer,) = await begin_relations(tx, [wish], admdvs=admdvs, verb=verb, actor=actor, now=now, ids=ids, shelf=shelf)
    if not isinstance(answer, Refusal):
        object_id = answer.psn_no if isinstance(answer, Begun) else answer.doubt_id
        await write_trail(tx, actor, verb=verb, object_id=object_id, admdvs=admdvs, state=answer, now=now, ids=ids)
    return answer


async def begin_relations(
    tx: Connection, wishes: Sequence[Wish], *, admdvs: str, verb: str, actor: Actor, now: datetime, ids: Ids,
    shelf: PolicyShelf,
) -> list[Answer]:
    """Begin what can begin of many wishes of one region and answer each; what is refused leaves no trace but a doubt.

    The caller writes the audit row. A document that stands twice among the wishes is refused the second time.
    """
    await take_documents(tx, [(w.cert_type, tidy_number(w.certno)) for w in wishes])
    known = await _known(tx, wishes, admdvs)
    today, seen = business_date(now), set[tuple[str, str]]()
    answers: list[Answer] = []
    planned: list[tuple[Wish, Plan, str, str]] = []
    doubts: list[Doubt] = []
    for wish in wishes:
        document = (wish.cert_type, tidy_number(wish.certno))
        judged = judge(wish, known.get(document, Known()), today=today, division=actor.division)
        if document in seen and not isinstance(judged, Contradiction):
            judged = (Fault("TWICE_IN_FILE", "同一证件在本次申报中出现多次", f"{wish.path}certno", remedy="请只保留一行"),)
        if isinstance(judged, Contradiction):
            doubts.append(doubt_of(judged, wish, admdvs=admdvs, origin=verb, now=now))
            answers.append(Held(doubts[-1].doubt_id, (judged.fault,)))
        elif isinstance(judged, tuple):
            answers.append(Refusal(judged))
        else:
            seen.add(document)
            psn_no = judged.person.psn_no if judged.person else ids.new(now)
            relation_id = _relation_id(wish, judged, known.get(document, Known()).relations)
            planned.append((wish, judged, psn_no, relation_id))
            answers.append(Begun(psn_no, relation_id, judged.insured_on, judged.person is None,
                                 tuple(e.relation.relation_id for e in judged.ends), judged.notes))
    await _write(tx, planned, admdvs=admdvs, now=now)
    doubts += await _alike(tx, planned, admdvs=admdvs, origin=verb, now=now)
    await open_doubts(tx, doubts)
    refunds = await _cancel_given_way(tx, planned, actor=actor, now=now, ids=ids, shelf=shelf)
    answers = [
        msgspec.structs.replace(a, notes=(*a.notes, f"原关系已缴、可申请退费：{'、'.join(refunds[a.psn_no])}"))
        if isinstance(a, Begun) and a.psn_no in refunds else a for a in answers
    ]
    if planned:
        await refresh_entitlement(tx, [psn_no for _, _, psn_no, _ in planned], now=now, shelf=shelf)
    return answers


async def _cancel_given_way(
    tx: Connection, planned: Sequence[tuple[Wish, Plan, str, str]], *, actor: Actor, now: datetime, ids: Ids, shelf: PolicyShelf
) -> dict[str, list[str]]:
    """Cancel unpaid dues of relations that gave way, for the months of the new ones; return those that are paid already."""
    paid: dict[str, list[str]] = {}
    for _, plan, psn_no, _ in planned:
        for end in plan.ends:
            done = await cancel_later_dues(tx, end.relation, until=end.paused_on, cause=end.cause, actor=actor, now=now, ids=ids,
                                           shelf=shelf)
            assert not isinstance(done, Refusal), "dues of an ended relation can be cancelled"
            if done[1]:
                paid.setdefault(psn_no, []).extend(done[1])
    return paid


async def _known(tx: Connection, wishes: Sequence[Wish], admdvs: str) -> dict[tuple[str, str], Known]:
    persons: dict[tuple[str, str], Person] = {}
    elsewhere: dict[tuple[str, str], str] = {}
    for cert_type in sorted({w.cert_type for w in wishes}):
        numbers = sorted({tidy_number(w.certno) for w in wishes if w.cert_type == cert_type})
        of_kind = await known_by_documents(tx, admdvs=admdvs, cert_type=cert_type, certnos=numbers)
        persons |= {(cert_type, number): person for number, person in of_kind.items()}
        there = await enrolled_elsewhere(tx, cert_type=cert_type, certnos=numbers, admdvs=admdvs)
        elsewhere |= {(cert_type, number): region for number, region in there.items()}
    relations = await relations_of(tx, sorted({p.psn_no for p in persons.values()})) if persons else {}
    return {
        document: Known(
            person := persons.get(document), relations.get(person.psn_no, ()) if person else (), elsewhere.get(document, "")
        )
        for document in persons.keys() | elsewhere.keys()
    }


def _relation_id(wish: Wish, plan: Plan, relations: Sequence[Relation]) -> str:
    name = f"{wish.insutype}-{plan.insured_on:%Y%m%d}"
    taken = {r.relation_id for r in relations}
    return next(candidate for candidate in _numbered(name) if candidate not in taken)


def _numbered(name: str) -> Iterator[str]:
    yield name
    number = 2
    while True:
        yield f"{name}-{number}"
        number += 1


async def _write(
    tx: Connection, planned: Sequence[tuple[Wish, Plan, str, str]], *, admdvs: str, now: datetime
) -> None:
    persons, endings, relations = [], [], []
    for wish, plan, psn_no, relation_id in planned:
        if plan.person is None:
            persons.append(Person(
                psn_no=psn_no, admdvs=admdvs, cert_type=wish.cert_type, certno=plan.told.certno, name=plan.told.name,
                sex=plan.told.sex, birth_on=plan.told.birth_on, nation=wish.nation, phone=wish.phone or None,
                division=wish.division, household_no=wish.household_no, recorded_at=now,
            ))
        endings += [
            Ending(psn_no=psn_no, relation_id=e.relation.relation_id, paused_on=e.paused_on, status=ENDED,
                   status_reason=ENDS[e.cause], cause=e.cause, recorded_at=now)
            for e in plan.ends
        ]
        relations.append(relation_of(wish, psn_no=psn_no, relation_id=relation_id, admdvs=admdvs, plan=plan, now=now))
    await add_persons(tx, persons)
    # Ends before beginnings: the database lets a person have one open basic relation.
    await end_relations(tx, endings)
    await add_relations(tx, relations)
    await give_waiting_identities(tx, persons)


def relation_of(
    wish: Wish, *, psn_no: str, relation_id: str, admdvs: str, plan: Plan, now: datetime
) -> Relation:
    """Return the relation of a wish: without any benefit until the entitlement is made."""
    return Relation(
        psn_no=psn_no, relation_id=relation_id, admdvs=admdvs, insutype=wish.insutype, psn_type=wish.psn_type, status=NORMAL,
        status_reason=NOT_YET, emp_no=wish.emp_no, account_kind=wish.account_kind, civil_servant=wish.civil_servant,
        flexible=wish.flexible, insured_on=plan.insured_on, paused_on=None, benefit_from=plan.insured_on,
        benefit_to=plan.insured_on, paid_months=0, enrolment_kind=wish.enrolment_kind, recorded_at=now,
        ended_recorded_at=None, cause=wish.cause, end_cause="", wage_fen=wish.wage_fen, group_name=wish.group_name,
        merged_from=None,
    )


def doubt_of(found: Contradiction, wish: Wish, *, admdvs: str, origin: str, now: datetime) -> Doubt:
    """Return the case to work that a contradiction opens; the same statement again is the same case."""
    return _doubt(found.kind, wish, found.person.psn_no, None, admdvs=admdvs, origin=origin, now=now)


async def _alike(
    tx: Connection, planned: Sequence[tuple[Wish, Plan, str, str]], *, admdvs: str, origin: str, now: datetime
) -> list[Doubt]:
    """Return doubts for new persons who are known by another kind of document under the same name and date of birth."""
    new = [(w, p, psn_no) for w, p, psn_no, _ in planned if p.person is None]
    if not new:
        return []
    alike = await list_alike(
        tx, admdvs=admdvs, names=[p.told.name for _, p, _ in new], births=[p.told.birth_on for _, p, _ in new]
    )
    return [
        _doubt("one_person_two_numbers", wish, psn_no, other.psn_no, admdvs=admdvs, origin=origin, now=now)
        for wish, plan, psn_no in new for other in alike
        if (other.name, other.birth_on, other.sex) == (plan.told.name, plan.told.birth_on, plan.told.sex)
        and other.psn_no != psn_no and other.cert_type != wish.cert_type
    ]


def _doubt(
    kind: str, wish: Wish, psn_no: str, other_no: str | None, *, admdvs: str, origin: str, now: datetime
) -> Doubt:
    number = tidy_number(wish.certno)
    key = sm3("|".join((kind, admdvs, wish.cert_type, number, wish.name, other_no or "")).encode()).hex()[:24]
    return Doubt(
        doubt_id=key, admdvs=admdvs, kind=kind, psn_no=psn_no, other_no=other_no, cert_type=wish.cert_type, certno=number,
        name=wish.name, origin=origin,
        said={"emp_no": wish.emp_no, "insutype": wish.insutype, "insured_on": wish.insured_on.isoformat()}, state="open",
        opened_at=now,
    )
