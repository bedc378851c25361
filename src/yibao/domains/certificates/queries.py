"""Reads of certificates and of the facts that they state."""

from __future__ import annotations

import asyncpg
import msgspec

from yibao.domains.certificates.model import Certificate, Period
from yibao.infra.database import Connection

_SELECT = "select " + ", ".join(f.name for f in msgspec.structs.fields(Certificate))
# A clerk sees the certificates of the people that the clerk sees.
BY_NUMBER = f"""
{_SELECT} from certificates.certificate
where certificate_no = $1 and exists (select from people.person p where p.psn_no = certificate.psn_no)
"""
LISTED = f"""
{_SELECT} from certificates.certificate where psn_no = $1 order by issued_at desc, certificate_no limit $2
"""
CHECKED = "select * from certificates.checked($1, $2)"
PERSON = """
select p.psn_no, p.name, p.cert_type, p.certno, p.admdvs, coalesce(r.name, p.admdvs) as region
from people.person p left join platform.region r on r.admdvs = p.admdvs where p.psn_no = $1
"""
# Months are counted where their money has arrived; residents' dues stand for several months at once.
PERIODS = """
select r.insutype, r.insured_on, r.paused_on, r.status, coalesce(e.name, '') as employer,
       coalesce(sum(d.months), 0)::int as months_paid, min(d.month) as first_month,
       (max(d.month + (d.months - 1) * interval '1 month'))::date as last_month
from enrolment.relation r
left join enrolment.employer e on e.emp_no = r.emp_no
left join contributions.due d on d.psn_no = r.psn_no and d.relation_id = r.relation_id and d.insutype = r.insutype
    and d.kind in ('regular', 'back', 'lump') and d.state in ('arrived', 'credited')
where r.psn_no = $1 and r.admdvs = $2 and r.insutype in ('310', '390')
group by r.relation_id, r.insutype, r.insured_on, r.paused_on, r.status, e.name
order by r.insured_on, r.relation_id
"""
ELSEWHERE = """
select coalesce(sum(months), 0)::int from enrolment.year_credit
where psn_no = $1 and admdvs = $2 and kind = 'transferred' and withdrawn_at is null
"""
BALANCE = "select balance_fen from ledger.personal_account where psn_no = $1"


async def find_person(tx: Connection, psn_no: str) -> asyncpg.Record | None:
    """Return who a person is, with the name of the region."""
    return await tx.fetchrow(PERSON, psn_no)


async def list_periods(tx: Connection, psn_no: str, admdvs: str) -> list[Period]:
    """Return a person's periods of enrolment in a region, the oldest first."""
    return [Period(*row) for row in await tx.fetch(PERIODS, psn_no, admdvs)]


async def count_elsewhere(tx: Connection, psn_no: str, admdvs: str) -> int:
    """Return the months of other regions that count here."""
    return int(await tx.fetchval(ELSEWHERE, psn_no, admdvs))


async def find_balance(tx: Connection, psn_no: str) -> int | None:
    """Return the balance of the personal account, fen; None where there is none."""
    balance: int | None = await tx.fetchval(BALANCE, psn_no)
    return balance


async def find_certificate(tx: Connection, certificate_no: str) -> Certificate | None:
    """Return a certificate by its number."""
    row = await tx.fetchrow(BY_NUMBER, certificate_no)
    return None if row is None else Certificate(*row)


async def list_certificates(tx: Connection, psn_no: str, *, most: int = 50) -> list[Certificate]:
    """Return a person's certificates, the newest first."""
    return [Certificate(*row) for row in await tx.fetch(LISTED, psn_no, most)]


async def find_checked(tx: Connection, certificate_no: str, code: str) -> asyncpg.Record | None:
    """Return what a stranger may see of a certificate whose number and code they hold, whatever its region."""
    return await tx.fetchrow(CHECKED, certificate_no, code)
