"""Find whom a command speaks of, within what the actor may touch."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from yibao.domains.enrolment.model import Employer, Relation
from yibao.domains.enrolment.queries import find_employer, relations_of
from yibao.domains.people.model import RESIDENT_CARD, Person
from yibao.domains.people.queries import find_by_certificate, known_by_documents, known_by_numbers, person_of
from yibao.domains.people.rules import tidy_number
from yibao.infra.database import Connection
from yibao.kernel.actor import Actor
from yibao.kernel.identity_number import mask
from yibao.kernel.refusal import Refusal, refuse


class Member(msgspec.Struct, frozen=True):
    """A person with all relations, the oldest first."""

    person: Person
    relations: Sequence[Relation]

    @property
    def open_relations(self) -> list[Relation]:
        """Return the relations that have no end yet."""
        return [r for r in self.relations if r.is_open]


async def find_member(
    tx: Connection, *, actor: Actor, psn_no: str = "", certno: str = "", cert_type: str = RESIDENT_CARD
) -> Member | Refusal:
    """Return the person of a number or document; a merged number is the person that was kept."""
    if not psn_no and not certno:
        return refuse("PERSON_NOT_SAID", "须说明人员编号或证件号码", field="psn_no", remedy="请补充")
    person = await _by_number(tx, psn_no) if psn_no else await _by_document(tx, cert_type, tidy_number(certno), actor)
    if person is None:
        field, said = ("psn_no", psn_no) if psn_no else ("certno", mask(certno))
        return refuse("PERSON_NOT_FOUND", "没有这个参保人", field=field, received=said, remedy="请核对人员编号或证件号码")
    if psn_no and certno and tidy_number(certno) != person.certno:
        return refuse("CERTIFICATE_DIFFERS", "证件号码与人员编号不是同一人", field="certno", received=mask(certno),
                      remedy="请核对证件号码")
    refusal = refuse_outside(actor, admdvs=person.admdvs, division=person.division, field="psn_no")
    if refusal is not None:
        return refusal
    return Member(person, (await relations_of(tx, [person.psn_no])).get(person.psn_no, []))


async def find_active_employer(tx: Connection, emp_no: str, *, actor: Actor, field: str = "emp_no") -> Employer | Refusal:
    """Return an employer that has not ended."""
    employer = await find_employer(tx, emp_no)
    if employer is None:
        return refuse("EMPLOYER_NOT_FOUND", "没有这个参保单位", field=field, received=emp_no,
                      remedy="请核对单位编号，或先办理单位参保登记")
    if employer.state != "active":
        then = f"，已并入{employer.merged_into}" if employer.merged_into else ""
        return refuse("EMPLOYER_ENDED", f"该单位已于{employer.ended_on}终止参保{then}", field=field, received=emp_no,
                      remedy="请使用现单位编号")
    return refuse_outside(actor, admdvs=employer.admdvs, division=employer.division, field=field) or employer


def refuse_outside(actor: Actor, *, admdvs: str, division: str, field: str) -> Refusal | None:
    """Refuse what lies outside the actor's regions or county; an actor without regions is the agency's own batch."""
    if actor.regions and admdvs not in actor.regions:
        return refuse("OTHER_REGION", "不属于本统筹区", field=field, received=admdvs, remedy="请到其参保地经办机构办理")
    if actor.division and not division.startswith(actor.division):
        return refuse("OTHER_DIVISION", "不属于本经办机构管辖的县（镇）", field=field, received=division,
                      remedy="请到其所属县（镇）经办机构办理")
    return None


async def _by_number(tx: Connection, psn_no: str) -> Person | None:
    return (await known_by_numbers(tx, [psn_no])).get(psn_no)


async def _by_document(tx: Connection, cert_type: str, certno: str, actor: Actor) -> Person | None:
    for region in actor.regions:
        known = await known_by_documents(tx, admdvs=region, cert_type=cert_type, certnos=[certno])
        if certno in known:
            return known[certno]
    row = None if actor.regions else await find_by_certificate(tx, cert_type=cert_type, certno=certno)
    return None if row is None else person_of(row)
