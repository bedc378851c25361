"""Reads of settlement lists, and of the facts they are judged against."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, datetime
from typing import Any

import asyncpg
import msgspec

from yibao.domains.records.model import ChargeClass, Finding, GroupingFacts, SettlementList
from yibao.domains.records.rules import age_in_days, stay_days
from yibao.infra.database import Connection
from yibao.infra.paging import Window, fetch_page
from yibao.kernel.business_time import age_on, business_date

BY_SETTLEMENT = "select * from records.settlement_list where psn_no = $1 and setl_id = $2"
# A visit's batch, or the periods of a stay that the settlement covers.
COVERED = "select period_from, period_to, begin_on, end_on from settlements.stay_settlement where psn_no = $1 and setl_id = $2"
STAY = "select admitted_at, discharged_at, discharge_way from encounters.stay where psn_no = $1 and mdtrt_id = $2"
CHARGES = """
select charge_type, sum(amount_fen)::bigint, coalesce(sum(amount_fen) filter (where class_level = '01'), 0)::bigint,
       coalesce(sum(amount_fen) filter (where class_level = '02'), 0)::bigint,
       coalesce(sum(amount_fen) filter (where class_level = '03'), 0)::bigint, 0::bigint
from encounters.fee_line where psn_no = $1 and mdtrt_id = $2 and chrg_bchno = any($3::text[])
group by charge_type order by charge_type
"""
PROCEDURES = """
select code from catalogue.procedure where code = any($1::text[]) and valid_from <= $2 and (valid_to is null or valid_to > $2)
"""
TCM_CLASSES = "select code from catalogue.tcm_class where kind in ('tcm_disease', 'tcm_syndrome')"
DEPARTMENTS = """
select dept_code, name from institutions.department
where fixmedins_code = $1 and (dept_code = any($2::text[]) or name = any($2::text[])) and opened_on <= $3
"""
STAFF_NAMES = "select code, name from institutions.practitioner where fixmedins_code = $1 and code = any($2::text[])"
# Settlements of a period that need a list: stays, and the outpatient care that $4 names.
NEEDED = """
from settlements.settlement s
join encounters.encounter e on e.psn_no = s.psn_no and e.mdtrt_id = s.mdtrt_id
left join records.settlement_list l on l.psn_no = s.psn_no and l.setl_id = s.setl_id
where s.kind = 'settlement' and not claims.is_desk(s.fixmedins_code)
  and (s.state = 'active' or $6) and s.settled_at >= $2 and s.settled_at < $3
  and ($1::text is null or s.fixmedins_code = $1)
  and (e.state in ('admitted', 'discharged') or s.med_type = any($4::text[])) and ($5::text[] is null or s.med_type = any($5))
"""
COUNTS = "select count(*) as needed, count(l.filed_at) filter (where l.state <> 'draft') as uploaded " + NEEDED
MISSING = """
select s.psn_no, s.setl_id, s.mdtrt_id, s.fixmedins_code, s.admdvs, s.med_type, s.settled_at, l.state, l.filed_at, l.due_on
""" + NEEDED + """
  and ($7::text is null or s.admdvs = $7)
  and (l.filed_at is null or l.state = 'draft' or (l.filed_at at time zone 'Asia/Shanghai')::date > l.due_on)
order by s.settled_at, s.setl_id
"""
CHECKED = """
from records.settlement_list l
join settlements.settlement s on s.psn_no = l.psn_no and s.setl_id = l.setl_id
join people.person p on p.psn_no = l.psn_no
where l.fixmedins_code = $1 and l.state <> 'draft' and s.settled_at >= $2 and s.settled_at < $3
  and ($4::text is null or l.setl_id = $4) and ($5::text is null or l.psn_no = $5)
  and ($6::text is null or exists (select from jsonb_array_elements(l.findings) f where f ->> 'severity' = $6)
       or ($6 = 'clean' and l.findings = '[]'))
  and ($7::boolean is null or (l.state = 'returned') = $7)
"""
CHECKED_COUNT = "select count(*) " + CHECKED
CHECKED_PAGE = """
select l.*, s.settled_at, p.name, p.cert_type, p.certno
""" + CHECKED + " order by s.settled_at, l.setl_id limit $8 offset $9"
CASES = """
select l.content, l.list_id, l.state, l.psn_no, l.setl_id, l.fixmedins_code, l.admdvs, e.begin_at, s.settled_at, p.sex,
       p.birth_on
from records.settlement_list l
join settlements.settlement s on s.psn_no = l.psn_no and s.setl_id = l.setl_id and s.state = 'active'
join encounters.encounter e on e.psn_no = l.psn_no and e.mdtrt_id = l.mdtrt_id
join people.person p on p.psn_no = l.psn_no
where l.admdvs = $1 and s.settled_at >= $2 and s.settled_at < $3 and ($4::text is null or l.fixmedins_code = $4)
  and l.state = any($5::text[]) and l.care_kind <> 'chronic'
order by s.settled_at, l.setl_id
"""
BY_STATE = """
select l.*, s.settled_at, s.state as settlement_state from records.settlement_list l
join settlements.settlement s on s.psn_no = l.psn_no and s.setl_id = l.setl_id
where l.admdvs = $1 and ($2::text is null or l.fixmedins_code = $2) and ($3::text is null or l.state = $3)
  and s.settled_at >= $4 and s.settled_at < $5
order by s.settled_at, l.setl_id
"""
FOR_DECISION = """
select l.*, s.state as settlement_state from records.settlement_list l
join settlements.settlement s on s.psn_no = l.psn_no and s.setl_id = l.setl_id
where l.setl_id = $1 and l.admdvs = $2 for update of l
"""
EVENTS = "select * from records.list_event where psn_no = $1 and setl_id = $2 order by seq"
PAID_STATES = ("accepted", "grouped", "used")
"""States in which a list may be grouped."""


def content_of(row: asyncpg.Record) -> SettlementList:
    """Return the list of a row."""
    return msgspec.json.decode(row["content"], type=SettlementList)


def findings_of(row: asyncpg.Record) -> list[Finding]:
    """Return what the check found in the list of a row."""
    return msgspec.json.decode(row["findings"], type=list[Finding])


async def find_list(tx: Connection, *, psn_no: str, setl_id: str, lock: bool = False) -> asyncpg.Record | None:
    """Return the list of a settlement; with ``lock`` it stays locked until the transaction ends."""
    return await tx.fetchrow(BY_SETTLEMENT + (" for update" if lock else ""), psn_no, setl_id)


async def find_for_decision(tx: Connection, *, setl_id: str, admdvs: str) -> asyncpg.Record | None:
    """Return the list of a settlement of a region, locked, with the settlement's own state."""
    return await tx.fetchrow(FOR_DECISION, setl_id, admdvs)


async def list_events(tx: Connection, *, psn_no: str, setl_id: str) -> list[asyncpg.Record]:
    """Return every step of a list, the first one first."""
    return await tx.fetch(EVENTS, psn_no, setl_id)


async def find_stay(tx: Connection, *, psn_no: str, mdtrt_id: str) -> asyncpg.Record | None:
    """Return admission and discharge of a stay."""
    return await tx.fetchrow(STAY, psn_no, mdtrt_id)


async def find_cover(tx: Connection, *, psn_no: str, setl_id: str) -> asyncpg.Record | None:
    """Return which periods of a stay a settlement covers, None for a visit's."""
    return await tx.fetchrow(COVERED, psn_no, setl_id)


async def charges_of(
    tx: Connection, *, psn_no: str, mdtrt_id: str, batches: Sequence[str]
) -> dict[str, ChargeClass]:
    """Return the fee lines of some batches by class of charge; what was charged wholly at own expense is class 03."""
    return {row[0]: ChargeClass(*row) for row in await tx.fetch(CHARGES, psn_no, mdtrt_id, list(batches))}


async def known_procedures(tx: Connection, *, codes: Iterable[str], on: date) -> frozenset[str]:
    """Return those of the codes that the published version of the day holds."""
    return frozenset(row["code"] for row in await tx.fetch(PROCEDURES, sorted(set(codes)), on))


async def tcm_classes(tx: Connection) -> frozenset[str]:
    """Return the published classes of Chinese-medicine diseases and syndromes."""
    return frozenset(row["code"] for row in await tx.fetch(TCM_CLASSES))


async def known_departments(tx: Connection, fixmedins_code: str, *, codes: Iterable[str], on: date) -> frozenset[str]:
    """Return those of the codes that were departments of the institution on a day; a name serves as well as its code."""
    rows = await tx.fetch(DEPARTMENTS, fixmedins_code, sorted(set(codes)), on)
    return frozenset(text for row in rows for text in (row["dept_code"], row["name"]))


async def staff_names(tx: Connection, fixmedins_code: str, *, codes: Iterable[str]) -> dict[str, str]:
    """Return the names of an institution's practitioners, whenever they were registered."""
    rows = await tx.fetch(STAFF_NAMES, fixmedins_code, sorted(set(codes)))
    return {row["code"]: row["name"] for row in rows}


class Asked(msgspec.Struct, frozen=True):
    """Which settlements are looked at: settled in ``[begin, end)``; ``listed`` is outpatient care that needs a list."""

    begin: datetime
    end: datetime
    listed: tuple[str, ...]
    fixmedins_code: str | None = None
    med_types: tuple[str, ...] | None = None
    with_refunds: bool = False

    def values(self) -> tuple[Any, ...]:
        """Return the values of the statements over needed lists."""
        return (self.fixmedins_code, self.begin, self.end, list(self.listed),
                None if self.med_types is None else list(self.med_types), self.with_refunds)


async def count_lists(tx: Connection, asked: Asked) -> tuple[int, int]:
    """Return how many settlements need a list, and how many of them have one that was submitted."""
    row = await tx.fetchrow(COUNTS, *asked.values())
    assert row is not None
    return row["needed"], row["uploaded"]


async def list_missing(tx: Connection, asked: Asked, *, admdvs: str | None) -> list[asyncpg.Record]:
    """Return the settlements whose list is missing or came late."""
    return await tx.fetch(MISSING, *asked.values(), admdvs)


async def page_checked(
    tx: Connection, *, fixmedins_code: str, begin: datetime, end: datetime, setl_id: str | None, psn_no: str | None,
    severity: str | None, is_returned: bool | None, window: Window,
) -> tuple[int, list[asyncpg.Record]]:
    """Return the number of an institution's submitted lists and one page of them, with the person."""
    values = (fixmedins_code, begin, end, setl_id, psn_no, severity, is_returned)
    return await fetch_page(tx, CHECKED_COUNT, CHECKED_PAGE, values, window, lambda row: row)


async def list_by_state(
    tx: Connection, *, admdvs: str, fixmedins_code: str | None, state: str | None, begin: datetime, end: datetime
) -> list[asyncpg.Record]:
    """Return the lists of a region whose settlements were made in ``[begin, end)``."""
    return await tx.fetch(BY_STATE, admdvs, fixmedins_code, state, begin, end)


async def list_cases(
    tx: Connection, admdvs: str, begin: datetime, end: datetime, fixmedins_code: str | None = None,
    states: Sequence[str] = PAID_STATES,
) -> list[GroupingFacts]:
    """Return the stays of a region settled in ``[begin, end)`` as a grouper asks for them, from their lists.

    Only lists in one of ``states`` whose settlement is in force; chronic outpatient care is not grouped.
    """
    rows = await tx.fetch(CASES, admdvs, begin, end, fixmedins_code, list(states))
    return [_case(row) for row in rows]


def _case(row: asyncpg.Record) -> GroupingFacts:
    x = content_of(row)
    began_on = business_date(x.admitted_at or row["begin_at"])
    ended_on = business_date(x.discharged_at or row["settled_at"])
    years = age_on(row["birth_on"], began_on)
    weights = [grams for grams in x.newborn.birth_weights_g if grams]
    diagnoses = [d for d in x.diagnoses if d.kind == "1" and d.code]
    return GroupingFacts(
        case=row["setl_id"], gend=row["sex"], age=years,
        age_days=age_in_days(row["birth_on"], began_on) if years < 1 else None,
        birth_weight_g=weights[0] if weights else None, los_days=stay_days(began_on, ended_on), dscg_way=x.discharge_way,
        dx_codes=tuple(d.code for d in sorted(diagnoses, key=lambda d: not d.is_main)),
        op_codes=tuple(p.code for p in sorted(x.procedures, key=lambda p: not p.is_main) if p.code),
        psn_no=row["psn_no"], admdvs=row["admdvs"], fixmedins_code=row["fixmedins_code"], list_id=row["list_id"],
        state=row["state"],
    )
