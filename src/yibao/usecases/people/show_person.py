"""Show a person as of a day, as known now or as known at an earlier instant, with everything that was changed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime

import asyncpg
import msgspec

from yibao.domains.enrolment.model import Relation
from yibao.domains.enrolment.queries import list_identities
from yibao.domains.people.model import Change, Merge
from yibao.domains.people.operations import FIELDS
from yibao.domains.people.queries import list_changes, list_merges
from yibao.domains.people.rules import as_of
from yibao.infra.database import Connection
from yibao.kernel.actor import Actor
from yibao.kernel.refusal import Refusal
from yibao.usecases.enrolment.finding import find_member


class PersonShown(msgspec.Struct, frozen=True):
    """A person: fields as of the day asked for, all relations, identities, changes and merges.

    Attributes:
        psn_no: the number that answers; another one than was asked for after a merge.
    """

    psn_no: str
    admdvs: str
    on: date
    fields: Mapping[str, str | None]
    relations: Sequence[Relation]
    identities: Sequence[asyncpg.Record]
    changes: Sequence[Change]
    merges: Sequence[Merge]


async def show_person(
    tx: Connection, *, actor: Actor, on: date, psn_no: str = "", certno: str = "", known_at: datetime | None = None
) -> PersonShown | Refusal:
    """Show a person by number or identity card."""
    member = await find_member(tx, actor=actor, psn_no=psn_no, certno=certno)
    if isinstance(member, Refusal):
        return member
    person, number = member.person, member.person.psn_no
    changes = await list_changes(tx, number)
    now_value = {field: _text(getattr(person, field)) for field in FIELDS}
    return PersonShown(
        number, person.admdvs, on, as_of(now_value, changes, on=on, known_at=known_at), member.relations,
        await list_identities(tx, number), changes, await list_merges(tx, number),
    )


def _text(value: object) -> str | None:
    return None if value is None else value.isoformat() if isinstance(value, date) else str(value)
