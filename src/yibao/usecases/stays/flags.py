"""Register a special flag of somebody in hospital (2406)."""

from __future__ import annotations

from datetime import datetime

import asyncpg
import msgspec

from yibao.domains.encounters import stay_flags
from yibao.domains.people.queries import find_person
from yibao.infra.database import Connection
from yibao.kernel.refusal import Fault, Refusal
from yibao.usecases.stays.stay_of import refuse_discharged, stay_of


class FlagCommand(msgspec.Struct, frozen=True):
    """What an institution sends: who, which stay, which flag."""

    psn_no: str
    mdtrt_id: str
    cert_type: str
    certno: str
    name: str
    visit_no: str
    flag_type: str
    flag: str
    memo: str
    opter: str


async def register_flag(
    tx: Connection, *, command: FlagCommand, fixmedins_code: str, flag_id: str, now: datetime
) -> stay_flags.StayFlag | Refusal:
    """Register a flag of an open stay; the same flag twice is two entries, as it is sent."""
    stay = await stay_of(tx, psn_no=command.psn_no, mdtrt_id=command.mdtrt_id, fixmedins_code=fixmedins_code)
    if isinstance(stay, Refusal):
        return stay
    refusal = refuse_discharged(stay, "登记特殊标识")
    if refusal is not None:
        return refusal
    person = await find_person(tx, command.psn_no)
    assert person is not None, "a stay has its person"
    faults = _faults(command, stay, person)
    if faults:
        return Refusal(tuple(faults))
    flag = stay_flags.StayFlag(
        psn_no=command.psn_no, flag_id=flag_id, mdtrt_id=command.mdtrt_id, admdvs=stay["admdvs"],
        fixmedins_code=fixmedins_code, flag_type=command.flag_type, flag=command.flag, memo=command.memo,
        registered_at=now, opter=command.opter,
    )
    await stay_flags.add_flag(tx, flag)
    return flag


def _faults(command: FlagCommand, stay: asyncpg.Record, person: asyncpg.Record) -> list[Fault]:
    faults = []
    for said, held, field, label in (
        (command.name, person["name"], "psn_name", "姓名"),
        (command.certno.upper(), person["certno"].upper(), "certno", "证件号码"),
        (command.visit_no, stay["ipt_otp_no"], "ipt_otp_no", "住院号"),
    ):
        if said != held:
            shown = "" if field == "certno" else said
            faults.append(Fault("PERSON_DIFFERS", f"{label}与这次住院登记的不一致", f"data.{field}", shown, "请核对"))
    return faults
