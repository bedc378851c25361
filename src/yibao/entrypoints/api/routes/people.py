"""People: who somebody is, was on a day, and what was changed, merged and corrected."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from yibao.domains.enrolment.queries import relations_of
from yibao.domains.people.model import Change, Doubt, Person
from yibao.domains.people.queries import (
    known_by_numbers,
    list_changes,
    list_doubts,
    list_merges,
    list_persons,
)
from yibao.domains.people.rules import as_of
from yibao.entrypoints.api.fields import Id, Limit, PsnNo, Words
from yibao.entrypoints.api.routing import ask, deed, read
from yibao.entrypoints.api.services import Call
from yibao.kernel.business_time import business_date
from yibao.kernel.identity_number import mask, mask_name
from yibao.kernel.refusal import Refusal, refuse
from yibao.usecases.enrolment.change_person import Changed, change_person
from yibao.usecases.enrolment.commands import ChangePerson, MergePersons, SplitPerson
from yibao.usecases.enrolment.merge_persons import Merged, merge_persons
from yibao.usecases.enrolment.split_person import Split, split_person
from yibao.usecases.people.settle_doubt import SettleDoubt, settle_doubt

_MASKED = frozenset(("certno", "card_no", "phone"))
Value = Annotated[str, Meta(max_length=100)]
Evidence = Annotated[str, Meta(max_length=500)]


class RelationView(msgspec.Struct, frozen=True, kw_only=True):
    """An enrolment relation; periods half-open, ``paused_on`` None while it is open."""

    relation_id: str
    insutype: str
    psn_type: str
    status: str
    status_reason: str
    emp_no: str | None
    account_kind: str
    enrolment_kind: str
    insured_on: date
    paused_on: date | None
    benefit_from: date
    benefit_to: date | None
    paid_months: int


class PersonView(msgspec.Struct, frozen=True, kw_only=True):
    """A person as of a day; documents, card and telephone are masked.

    Attributes:
        merged_into: the number that answers for this one since a merge.
    """

    psn_no: str
    admdvs: str
    on: date
    cert_type: str
    certno: str
    name: str
    sex: str
    birth_on: str
    nation: str
    died_on: date | None
    card_no: str
    phone: str
    division: str
    household_no: str
    merged_into: str | None
    relations: list[RelationView]


class PersonHit(msgspec.Struct, frozen=True, kw_only=True):
    """A person in a list; name and document are masked."""

    psn_no: str
    admdvs: str
    name: str
    certno: str
    birth_on: date
    division: str


class PersonHits(msgspec.Struct, frozen=True):
    """People in the order of their numbers."""

    rows: list[PersonHit]


class PersonSought(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Who is looked for: by document, name or household; in a body, so that no number stands in an address."""

    certno: Annotated[str, Meta(max_length=40)] = ""
    name: Annotated[str, Meta(max_length=60)] = ""
    household_no: Annotated[str, Meta(max_length=40)] = ""
    after: Annotated[str, Meta(max_length=32, pattern=r"^[0-9A-Za-z]*$")] = ""
    limit: Limit = 50


class PersonChanges(msgspec.Struct, frozen=True):
    """Everything that was changed of a person, the oldest first; documents, card and telephone are masked."""

    rows: list[Change]


class MergeView(msgspec.Struct, frozen=True, kw_only=True):
    """Two numbers of one person, and whether that was undone."""

    merge_id: str
    kept_no: str
    merged_no: str
    reason: str
    made_by: str
    made_at: datetime
    undone_by: str | None
    undone_at: datetime | None


class Merges(msgspec.Struct, frozen=True):
    """Merges that a number took part in."""

    rows: list[MergeView]


class DoubtView(msgspec.Struct, frozen=True, kw_only=True):
    """A case to work: who somebody is, is in doubt; name and document are masked."""

    doubt_id: str
    kind: str
    psn_no: str | None
    other_no: str | None
    certno: str
    name: str
    origin: str
    state: str
    opened_at: datetime
    decision: str


class Doubts(msgspec.Struct, frozen=True):
    """Cases, the oldest first."""

    rows: list[DoubtView]


class DoubtDecision(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What was found out about who somebody is."""

    decision: Literal["same_person", "two_persons", "wrong_statement", "refunded"]


class PlainChange(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """New values of what needs no proof."""

    changes: dict[Literal["nation", "phone", "card_no", "division", "household_no"], Value]
    effective_on: date | None = None
    evidence: Evidence = ""


class KeyChange(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """New values of who somebody is: needs proof and a second person."""

    changes: dict[Literal["name", "sex", "birth_on", "certno", "cert_type"], Value]
    evidence: Words
    effective_on: date | None = None


@ask("/people/search", verb="find_person")
async def search_people(call: Call, data: PersonSought) -> PersonHits | Refusal:
    """Look for people by document, name or household."""
    if not (data.certno or data.name or data.household_no):
        return refuse("SEARCH_EMPTY", "请至少填写证件号码、姓名或户号之一", field="certno", remedy="请补填")
    found = await list_persons(
        call.tx, regions=call.actor.regions, division=call.actor.division, name=data.name, certno=data.certno,
        household_no=data.household_no, after=data.after, limit=data.limit,
    )
    return PersonHits([
        PersonHit(psn_no=p.psn_no, admdvs=p.admdvs, name=mask_name(p.name), certno=mask(p.certno), birth_on=p.birth_on,
                  division=p.division)
        for p in found
    ])


@read("/people/{psn_no}", verb="find_person")
async def show_person(
    call: Call, psn_no: PsnNo, on: date | None = None, known_at: datetime | None = None
) -> PersonView | Refusal:
    """Show a person as of a day, as known now or as known at an earlier instant, with all enrolment relations."""
    person = (await known_by_numbers(call.tx, [psn_no])).get(psn_no)
    if person is None:
        return refuse("PERSON_NOT_FOUND", "没有该人员编号的参保人", field="psn_no", received=psn_no, remedy="请核对人员编号")
    if known_at is not None and known_at.tzinfo is None:
        return refuse("INSTANT_WITHOUT_ZONE", "时间须带时区", field="known_at", remedy="如 2024-07-01T08:00:00+08:00")
    day = on or business_date(call.now)
    stood = as_of(_fields(person), await list_changes(call.tx, psn_no), on=day, known_at=known_at)
    relations = (await relations_of(call.tx, [psn_no])).get(psn_no, [])
    return PersonView(
        psn_no=psn_no, admdvs=person.admdvs, on=day, died_on=person.died_on, merged_into=person.merged_into,
        **{name: _shown(name, stood) for name in _VIEWED},
        relations=[RelationView(**{n: getattr(r, n) for n in RelationView.__struct_fields__}) for r in relations],
    )


@read("/people/{psn_no}/changes", verb="find_person")
async def list_person_changes(call: Call, psn_no: PsnNo) -> PersonChanges:
    """List what was changed of a person: old and new value, from when it is true, when we learnt of it, on what paper."""
    rows = [
        msgspec.structs.replace(c, old_value=mask(c.old_value or ""), new_value=mask(c.new_value or ""))
        if c.field in _MASKED else c
        for c in await list_changes(call.tx, psn_no)
    ]
    return PersonChanges(rows)


@read("/people/{psn_no}/merges", verb="find_person")
async def list_person_merges(call: Call, psn_no: PsnNo) -> Merges:
    """List the merges that a number took part in."""
    return Merges([
        MergeView(**{n: getattr(m, n) for n in MergeView.__struct_fields__}) for m in await list_merges(call.tx, psn_no)
    ])


@read("/doubts", verb="work_case")
async def list_people_doubts(call: Call, state: Literal["", "open", "settled"] = "open", limit: Limit = 50) -> Doubts:
    """List cases in which it is in doubt who somebody is."""
    rows = await list_doubts(call.tx, regions=call.actor.regions, state=state, limit=limit)
    return Doubts([_doubt(d) for d in rows])


@deed("/doubts/{doubt_id}/settle", verb="work_case")
async def settle_person_doubt(call: Call, doubt_id: Id, data: DoubtDecision) -> DoubtView | Refusal:
    """Close a case with what was found out; what follows from it is a deed of its own."""
    command = SettleDoubt(doubt_id=doubt_id, decision=data.decision)
    settled = await settle_doubt(call.tx, command, actor=call.actor, now=call.now, ids=call.ids)
    return settled if isinstance(settled, Refusal) else _doubt(settled)


@deed("/people/{psn_no}/changes", verb="change_person")
async def change_plain_fields(call: Call, psn_no: PsnNo, data: PlainChange) -> Changed | Refusal:
    """Change telephone, card, division, household or nation."""
    return await _change(call, psn_no, data)


@deed("/people/{psn_no}/key-changes", verb="change_key_field")
async def change_key_fields(call: Call, psn_no: PsnNo, data: KeyChange) -> Changed | Refusal:
    """Change name, sex, date of birth or document, with the paper that proves it."""
    return await _change(call, psn_no, data)


@deed("/people/merges", verb="merge_persons", status=201)
async def merge_two_persons(call: Call, data: MergePersons) -> Merged | Refusal:
    """Merge a person's second number into the first: from then on the kept one answers for both."""
    return await merge_persons(call.tx, data, actor=call.actor, now=call.now, ids=call.ids, shelf=call.shelf)


@deed("/people/splits", verb="split_person", status=201)
async def split_merged_person(call: Call, data: SplitPerson) -> Split | Refusal:
    """Undo a merge that was wrong."""
    return await split_person(call.tx, data, actor=call.actor, now=call.now, ids=call.ids, shelf=call.shelf)


async def _change(
    call: Call, psn_no: str, asked: PlainChange | KeyChange
) -> Changed | Refusal:
    changes = {str(field): value for field, value in asked.changes.items()}
    command = ChangePerson(
        psn_no=psn_no, changes=changes, effective_on=asked.effective_on, evidence=asked.evidence
    )
    return await change_person(call.tx, command, actor=call.actor, now=call.now, ids=call.ids, shelf=call.shelf)


def _doubt(found: Doubt) -> DoubtView:
    return DoubtView(
        **{n: getattr(found, n) for n in DoubtView.__struct_fields__ if n not in ("certno", "name")},
        certno=mask(found.certno), name=mask_name(found.name),
    )


_VIEWED = ("cert_type", "certno", "name", "sex", "birth_on", "nation", "card_no", "phone", "division", "household_no")


def _fields(person: Person) -> dict[str, str | None]:
    values: Mapping[str, Any] = {name: getattr(person, name) for name in _VIEWED}
    return {name: None if value is None else str(value) for name, value in values.items()}


def _shown(name: str, stood: Mapping[str, str | None]) -> str:
    value = stood[name] or ""
    return mask(value) if name in _MASKED else value


ROUTES = (
    search_people, show_person, list_person_changes, list_person_merges, list_people_doubts, settle_person_doubt,
    change_plain_fields, change_key_fields, merge_two_persons, split_merged_person,
)
