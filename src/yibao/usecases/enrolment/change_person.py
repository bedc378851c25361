"""Change facts of a person: every change is kept with the day it is true from, its evidence and who made it."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

import msgspec

from yibao.domains.people.model import RESIDENT_CARD, Change, Person
from yibao.domains.people.operations import change_fields
from yibao.domains.people.queries import known_by_documents
from yibao.domains.people.rules import tell, tidy_name, tidy_number
from yibao.infra.database import Connection
from yibao.kernel.actor import Actor
from yibao.kernel.business_time import business_date
from yibao.kernel.identity_number import mask
from yibao.kernel.ids import Ids
from yibao.kernel.refusal import Fault, Refusal, refuse
from yibao.usecases.enrolment.commands import ChangePerson
from yibao.usecases.enrolment.finding import find_member, refuse_outside
from yibao.usecases.entitlement.refresh import refresh_entitlement
from yibao.usecases.settlement.shelf import PolicyShelf
from yibao.usecases.trail import write_trail

FIELDS = ("name", "sex", "birth_on", "cert_type", "certno", "nation", "phone", "card_no", "division", "household_no")
KEY_FIELDS = frozenset({"name", "sex", "birth_on", "cert_type", "certno"})
CAUSES = ("change", "correction")


class Changed(msgspec.Struct, frozen=True):
    """What was changed of a person; fields that had the value already are not named."""

    psn_no: str
    fields: tuple[str, ...]
    effective_on: date


async def change_person(
    tx: Connection, command: ChangePerson, *, actor: Actor, now: datetime, ids: Ids, shelf: PolicyShelf
) -> Changed | Refusal:
    """Change fields of a person; name, sex, birth and document need evidence.

    A document that another person of the region has is refused: two numbers of one person are merged, and a number of
    somebody else is a case. A new identity card brings sex and date of birth with it. A correction is true from birth on.
    """
    member = await find_member(tx, actor=actor, psn_no=command.psn_no)
    if isinstance(member, Refusal):
        return member
    person, today = member.person, business_date(now)
    said = _said(command)
    faults = _faults(command, said, today)
    values: dict[str, Any] = said if faults else _values(person, said, today, faults)
    if faults:
        return Refusal(tuple(faults))
    changed = msgspec.structs.replace(person, **values)
    if (changed.cert_type, changed.certno) != (person.cert_type, person.certno):
        other = await known_by_documents(tx, admdvs=person.admdvs, cert_type=changed.cert_type, certnos=[changed.certno])
        if changed.certno in other and other[changed.certno].psn_no != person.psn_no:
            return refuse("CERTIFICATE_TAKEN", f"该证件已登记在人员编号{other[changed.certno].psn_no}名下",
                          field="changes.certno", received=mask(changed.certno),
                          remedy="同一人请办理人员合并；不是同一人的请核实证件")
    refusal = refuse_outside(actor, admdvs=changed.admdvs, division=changed.division, field="changes.division")
    if refusal is not None:
        return refusal
    effective = command.effective_on or (person.birth_on if command.cause == "correction" else today)
    done = Changed(person.psn_no, tuple(values), effective)
    await change_fields(tx, person.psn_no, values, [
        Change(
            psn_no=person.psn_no, change_id=ids.new(now), admdvs=person.admdvs, field=field,
            old_value=_text(getattr(person, field)), new_value=_text(value), effective_on=effective, recorded_at=now,
            evidence=command.evidence, actor=actor.login, channel=actor.channel, cause=command.cause,
        )
        for field, value in values.items()
    ])
    if values:
        await refresh_entitlement(tx, [person.psn_no], now=now, shelf=shelf)
        await write_trail(tx, actor, verb="change_person", object_id=person.psn_no, admdvs=person.admdvs, state=done, now=now,
                          ids=ids)
    return done


def _said(command: ChangePerson) -> dict[str, str]:
    said = {field: value.strip() for field, value in command.changes.items()}
    if "name" in said:
        said["name"] = tidy_name(said["name"])
    if "certno" in said:
        said["certno"] = tidy_number(said["certno"])
    return said


def _faults(command: ChangePerson, said: dict[str, str], today: date) -> list[Fault]:
    faults = [
        Fault("FIELD_UNKNOWN", "该项目不能变更", f"changes.{field}", field, f"可变更：{'、'.join(FIELDS)}")
        for field in sorted(set(said) - set(FIELDS))
    ]
    if not said:
        faults.append(Fault("NOTHING_TO_CHANGE", "没有要变更的项目", "changes", remedy="请填写"))
    if set(said) & KEY_FIELDS and not command.evidence:
        faults.append(Fault("EVIDENCE_MISSING", "姓名、性别、出生日期、证件变更须有证明", "evidence", remedy="请填写材料名称"))
    if command.cause not in CAUSES:
        faults.append(Fault("CAUSE_UNKNOWN", "变更类别须为change或correction", "cause", command.cause, "请更正"))
    if command.effective_on is not None and command.effective_on > today:
        faults.append(Fault("EFFECTIVE_LATER", "生效日期晚于今天", "effective_on", command.effective_on.isoformat(),
                            "请届时办理"))
    return faults


def _values(person: Person, said: dict[str, str], today: date, faults: list[Fault]) -> dict[str, Any]:
    """Return the values that differ from what stands now; what is wrong with them goes into ``faults``."""
    values: dict[str, Any] = dict(said)
    if "birth_on" in said:
        try:
            values["birth_on"] = date.fromisoformat(said["birth_on"])
        except ValueError:
            faults.append(Fault("DATE_MALFORMED", "出生日期须为yyyy-mm-dd", "changes.birth_on", said["birth_on"], "请更正"))
            return values
    if set(said) & KEY_FIELDS:
        cert_type, new_card = values.get("cert_type", person.cert_type), "certno" in values
        told = tell(
            cert_type=cert_type, certno=values.get("certno", person.certno), name=values.get("name", person.name),
            sex=values.get("sex", "" if new_card and cert_type == RESIDENT_CARD else person.sex),
            birth_on=values.get("birth_on", None if new_card and cert_type == RESIDENT_CARD else person.birth_on), on=today,
            path="changes.",
        )
        if isinstance(told, tuple):
            faults += told
            return values
        values |= {"name": told.name, "certno": told.certno, "sex": told.sex, "birth_on": told.birth_on}
    for field in ("phone", "card_no"):
        if field in values:
            values[field] = values[field] or None
    return {field: value for field, value in values.items() if getattr(person, field) != value}


def _text(value: Any) -> str | None:
    return value.isoformat() if isinstance(value, date) else value
