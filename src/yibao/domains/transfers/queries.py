"""Reads of transfers, and of what a region knows of somebody who leaves or comes."""

from __future__ import annotations

from datetime import date
from typing import Any

import asyncpg
import msgspec

from yibao.domains.transfers.model import DEEMED, PAID, Leaver, Money, Run, Transfer
from yibao.domains.transfers.rules import months_of, next_month, runs_of
from yibao.infra.database import Connection

_SELECT = "select " + ", ".join(f.name for f in msgspec.structs.fields(Transfer))
BY_REFERENCE = f"""
{_SELECT} from transfers.transfer where admdvs = $1 and direction = $2 and reference = $3 for update
"""
# Whom a clerk of a county may not see is not seen here either: who has no person here is nobody's in particular.
_SEEN = "(psn_no = '' or exists (select from people.person p where p.psn_no = transfer.psn_no))"
BY_ID = f"{_SELECT} from transfers.transfer where transfer_id = $1 and {_SEEN}"
LIVE = f"""
{_SELECT} from transfers.transfer
where psn_no = $1 and direction = $2 and other_admdvs = $3 and insutype = $4 and state not in ('closed', 'refused', 'cancelled')
"""
LISTED = f"""
{_SELECT} from transfers.transfer
where ($1 = '' or admdvs = $1) and ($2 = '' or state = $2) and ($3 = '' or psn_no = $3) and ($4::date is null or due_on < $4)
  and {_SEEN}
order by due_on, transfer_id limit $5
"""
WAITING_FOR_BANK = f"""
{_SELECT} from transfers.transfer where admdvs = $1 and direction = 'out' and state = 'sent'
order by transfer_id for update
"""
PAPERS = "select kind, content, digest, kept_at from transfers.paper where psn_no = $1 and transfer_id = $2 order by kind"
_MONEY = "select " + ", ".join(f.name for f in msgspec.structs.fields(Money))
MONEY = f"{_MONEY} from transfers.money where admdvs = $1 and payment_ref = $2 for update"
OPEN_MONEY = f"{_MONEY} from transfers.money where admdvs = $1 and state = 'open' order by told_at, payment_ref"
MONEY_OF = f"""
{_MONEY} from transfers.money where admdvs = $1 and reference = $2 and state = 'open'
order by told_at, payment_ref for update
"""
PERSON = """
select psn_no, name, cert_type, certno, died_on, admdvs from people.person where psn_no = $1 and merged_into is null
"""
PERSON_BY_CERTIFICATE = """
select psn_no, name, cert_type, certno, died_on, admdvs from people.person
where cert_type = $1 and certno = $2 and admdvs = $3 and merged_into is null
"""
RELATIONS = """
select relation_id, insutype, psn_type, status, insured_on, paused_on from enrolment.relation
where psn_no = $1 and admdvs = $2 order by insured_on
"""
DUES = """
select month, months, state, kind from contributions.due
where psn_no = $1 and admdvs = $2 and insutype = $3 and kind in ('regular', 'back', 'lump')
  and state in ('assessed', 'sent', 'paid', 'arrived', 'credited') order by month
"""
CREDITS = """
select first_month, until_month, months, kind, elsewhere from enrolment.year_credit
where psn_no = $1 and admdvs = $2 and insutype = $3 and kind in ('deemed', 'transferred') and withdrawn_at is null
order by first_month
"""
# The person before the account, as everybody who moves an account holds them.
HOLD_PERSON = "select psn_no from people.person where psn_no = $1 for no key update"
ACCOUNT = "select balance_fen, is_frozen from ledger.personal_account where psn_no = $1 for update"
RETIREMENT_PLACE = """
select psn_no, bearing_admdvs, confirmed_on, months_here, months_total, basis from transfers.retirement_place
where psn_no = $1 and insutype = $2 and is_live
"""


async def find_by_reference(tx: Connection, admdvs: str, direction: str, reference: str) -> Transfer | None:
    """Return a region's side of a transfer, held until the end of the transaction."""
    row = await tx.fetchrow(BY_REFERENCE, admdvs, direction, reference)
    return None if row is None else Transfer(*row)


async def find_transfer(tx: Connection, transfer_id: str) -> Transfer | None:
    """Return one side of a transfer by its own number."""
    row = await tx.fetchrow(BY_ID, transfer_id)
    return None if row is None else Transfer(*row)


async def find_live(
    tx: Connection, psn_no: str, *, direction: str, other_admdvs: str, insutype: str
) -> Transfer | None:
    """Return a transfer of the same kind that has not ended."""
    row = await tx.fetchrow(LIVE, psn_no, direction, other_admdvs, insutype)
    return None if row is None else Transfer(*row)


async def list_transfers(tx: Connection, *criteria: Any) -> list[Transfer]:
    """Return transfers by region, state, person, due before a day (each may be empty); at most so many, the first due first."""
    return [Transfer(*row) for row in await tx.fetch(LISTED, *criteria)]


async def list_waiting_for_bank(tx: Connection, admdvs: str) -> list[Transfer]:
    """Return and hold the transfers out of a region whose account money the bank has not paid yet."""
    return [Transfer(*row) for row in await tx.fetch(WAITING_FOR_BANK, admdvs)]


async def list_papers(tx: Connection, transfer: Transfer) -> list[asyncpg.Record]:
    """Return the papers of a transfer."""
    return await tx.fetch(PAPERS, transfer.psn_no, transfer.transfer_id)


async def find_money(tx: Connection, admdvs: str, payment_ref: str) -> Money | None:
    """Return a payment of another region by the bank's number, held."""
    row = await tx.fetchrow(MONEY, admdvs, payment_ref)
    return None if row is None else Money(*row)


async def list_open_money(tx: Connection, admdvs: str) -> list[Money]:
    """Return a region's payments that fit no transfer: cases to work."""
    return [Money(*row) for row in await tx.fetch(OPEN_MONEY, admdvs)]


async def list_money_of(tx: Connection, admdvs: str, reference: str) -> list[Money]:
    """Return and hold the open payments that name a transfer."""
    return [Money(*row) for row in await tx.fetch(MONEY_OF, admdvs, reference)]


async def find_person(tx: Connection, psn_no: str) -> asyncpg.Record | None:
    """Return who a person is."""
    return await tx.fetchrow(PERSON, psn_no)


async def find_in_region(tx: Connection, *, cert_type: str, certno: str, admdvs: str) -> asyncpg.Record | None:
    """Return a person of a region by document."""
    return await tx.fetchrow(PERSON_BY_CERTIFICATE, cert_type, certno.upper(), admdvs)


async def months_counted(tx: Connection, psn_no: str, *, admdvs: str, insutype: str) -> set[date]:
    """Return the months that a region counts for a person: arrived dues and credited months that are named."""
    runs, _unnamed, _open, _transit = await _runs(tx, psn_no, admdvs=admdvs, insutype=insutype)
    return months_of(runs)


async def read_leaver(
    tx: Connection, person: asyncpg.Record, *, admdvs: str, insutype: str, on: date
) -> Leaver:
    """Return what a region knows of somebody who asks to leave; person and personal account are held until the end."""
    await tx.execute(HOLD_PERSON, person["psn_no"])
    relations = [r for r in await tx.fetch(RELATIONS, person["psn_no"], admdvs) if r["insutype"] == insutype]
    runs, unnamed, unpaid, transit = await _runs(
        tx, person["psn_no"], admdvs=admdvs, insutype=insutype, before=on.replace(day=1))
    account = await tx.fetchrow(ACCOUNT, person["psn_no"]) if insutype == "310" else None
    running = next((r for r in relations if r["status"] != "4" and (r["paused_on"] is None or r["paused_on"] > on)), None)
    return Leaver(
        person["psn_no"], person["name"], person["cert_type"], person["certno"], person["died_on"],
        running["relation_id"] if running else "", any(r["psn_type"].startswith("12") for r in relations), tuple(unpaid),
        tuple(transit), tuple(runs), unnamed, account["balance_fen"] if account else 0,
        bool(account and account["is_frozen"]), max((r["paused_on"] for r in relations if r["paused_on"]), default=None),
    )


async def _runs(
    tx: Connection, psn_no: str, *, admdvs: str, insutype: str, before: date = date.max
) -> tuple[list[Run], int, list[date], list[date]]:
    """Return months that count as runs, months that count without a name, months unpaid, and months in transit.

    A resident's year is paid in advance: of it the months ``before`` a month count.
    """
    paid: set[date] = set()
    unpaid, transit = [], []
    for row in await tx.fetch(DUES, psn_no, admdvs, insutype):
        months = _from(row["month"], row["months"])
        if row["state"] in ("arrived", "credited"):
            paid |= {month for month in months if month < before}
        elif row["state"] == "paid":
            transit += months
        else:
            unpaid += months
    runs, unnamed = runs_of(paid, admdvs=admdvs), 0
    for row in await tx.fetch(CREDITS, psn_no, admdvs, insutype):
        if row["first_month"] is None:
            unnamed += row["months"]
            continue
        named = months_of([Run(row["first_month"], row["until_month"], "")]) - paid
        paid |= named
        runs += runs_of(named, admdvs=row["elsewhere"] or admdvs, kind=DEEMED if row["kind"] == "deemed" else PAID)
    return sorted(runs, key=lambda run: run.first_month), unnamed, unpaid, transit


def _from(month: date, count: int) -> list[date]:
    months = []
    for _ in range(count):
        months.append(month)
        month = next_month(month)
    return months


async def find_retirement_place(tx: Connection, psn_no: str, insutype: str = "310") -> asyncpg.Record | None:
    """Return which region was confirmed to bear the benefit of a retired person, None if nobody has."""
    return await tx.fetchrow(RETIREMENT_PLACE, psn_no, insutype)
