"""Gather what a settlement list is judged against: settlement, care, person, and which of its codes are known."""

from __future__ import annotations

from datetime import date
from typing import Any

import asyncpg
import msgspec

from yibao.domains.catalogue.queries import diagnosis_exists
from yibao.domains.encounters.queries import find_encounter
from yibao.domains.institutions.staff import registered_practitioners
from yibao.domains.people.queries import find_person
from yibao.domains.records import queries
from yibao.domains.records.model import (
    WESTERN,
    CareKind,
    ListFacts,
    PersonFacts,
    SettledFacts,
    SettlementList,
    StayFacts,
)
from yibao.domains.settlements.queries import find_settlement
from yibao.infra.database import Connection
from yibao.kernel.business_time import business_date
from yibao.usecases.records.tables import ListTables

OWN_ACCOUNT, INSTITUTION = "310200", "999996"
"""What settlements list beside the funds: the own account and the part the institution bears."""
STAY_STATES = ("admitted", "discharged")


class Behind(msgspec.Struct, frozen=True):
    """The settlement and the encounter behind a list, as rows; ``care`` None where no list is needed."""

    settlement: asyncpg.Record
    encounter: asyncpg.Record
    care: CareKind | None


async def find_behind(
    tx: Connection, *, setl_id: str, fixmedins_code: str, tables: ListTables
) -> Behind | None:
    """Return settlement and encounter of an institution's settlement; the person's facts stay as they are meanwhile.

    None if the institution has no such settlement. The settlement is read after the person is locked, so that a
    reversal on its way is waited for.
    """
    found = await find_settlement(tx, setl_id)
    if found is None or found["fixmedins_code"] != fixmedins_code or found["kind"] != "settlement":
        return None
    encounter = await find_encounter(tx, psn_no=found["psn_no"], mdtrt_id=found["mdtrt_id"], lock=True)
    settlement = await find_settlement(tx, setl_id)
    if encounter is None or settlement is None:
        return None
    is_stay = encounter["state"] in STAY_STATES
    return Behind(settlement, encounter, tables.care_of(settlement["med_type"], is_stay=is_stay))


async def gather_list_facts(
    tx: Connection, submitted: SettlementList, behind: Behind, *, care: CareKind, today: date, tables: ListTables
) -> ListFacts:
    """Gather every fact the checks of a list need."""
    s, encounter = behind.settlement, behind.encounter
    settled_on = business_date(s["settled_at"])
    stay = await _stay(tx, encounter)
    began_on = business_date(stay.admitted_at if stay else encounter["begin_at"])
    left_at = stay.discharged_at if stay else None
    ended_on = business_date(left_at) if left_at else settled_on
    person = await find_person(tx, s["psn_no"])
    assert person is not None
    codes = {d.code for d in submitted.diagnoses if d.kind == WESTERN}
    codes |= {c.diagnosis_code for c in submitted.chronic_care} - {""}
    staff = {submitted.chief_doctor, submitted.nurse}
    staff |= {code for p in submitted.procedures for code in (p.surgeon, p.anaesthetist)}
    return ListFacts(
        care=care, person=PersonFacts(person["name"], person["sex"], person["birth_on"], person["certno"]),
        settled=_settled(s, settled_on), stay=stay, began_on=began_on, ended_on=ended_on,
        charges=await queries.charges_of(tx, psn_no=s["psn_no"], mdtrt_id=s["mdtrt_id"], batches=await batches_of(tx, s)),
        diagnoses=frozenset(await diagnosis_exists(tx, codes=codes, on=ended_on)),
        procedures=await queries.known_procedures(tx, codes={p.code for p in submitted.procedures}, on=ended_on),
        tcm_classes=await queries.tcm_classes(tx),
        staff=await registered_practitioners(tx, s["fixmedins_code"], codes=staff - {""}, on=ended_on),
        departments=await queries.known_departments(tx, s["fixmedins_code"], codes=submitted.departments, on=ended_on),
        today=today, due_on=tables.due_on(settled_on),
    )


async def _stay(tx: Connection, encounter: asyncpg.Record) -> StayFacts | None:
    if encounter["state"] not in STAY_STATES:
        return None
    row = await queries.find_stay(tx, psn_no=encounter["psn_no"], mdtrt_id=encounter["mdtrt_id"])
    return None if row is None else StayFacts(row["admitted_at"], row["discharged_at"], row["discharge_way"] or "")


async def batches_of(tx: Connection, s: asyncpg.Record) -> list[str]:
    """Return the charge batches a settlement covers: a visit's own, or the periods of a stay."""
    cover = await queries.find_cover(tx, psn_no=s["psn_no"], setl_id=s["setl_id"])
    if cover is None:
        return [s["chrg_bchno"]]
    return [str(n) for n in range(cover["period_from"], cover["period_to"] + 1)]


def _settled(s: Any, settled_on: date) -> SettledFacts:
    funds = {kind: amount for kind, amount in zip(s["fund_types"], s["fund_amounts"], strict=True) if amount}
    return SettledFacts(
        s["medfee_fen"], s["own_fen"], s["person_fen"], s["account_fen"], s["cash_fen"], funds,
        {OWN_ACCOUNT: s["account_fen"], INSTITUTION: s["hospital_fen"]}, s["service_on"], settled_on, s["clr_way"],
    )
