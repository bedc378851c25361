"""Special flags of people in hospital: what is stored, and a page of them."""

from __future__ import annotations

from datetime import datetime

import asyncpg
import msgspec

from yibao.infra.database import Connection

INSERT = "insert into encounters.stay_flag select ($1::encounters.stay_flag).*"
PAGE = """
select f.*, p.name, p.cert_type, p.certno, e.ipt_otp_no, t.name as fixmedins_name, count(*) over () as total
from encounters.stay_flag f
join people.person p on p.psn_no = f.psn_no
join encounters.encounter e on e.psn_no = f.psn_no and e.mdtrt_id = f.mdtrt_id
join institutions.institution t on t.fixmedins_code = f.fixmedins_code
where f.fixmedins_code = $1
  and ($2 = '' or f.flag_id = $2) and ($3 = '' or f.mdtrt_id = $3) and ($4 = '' or f.psn_no = $4)
  and ($5 = '' or p.certno = $5) and ($6 = '' or p.name = $6) and ($7 = '' or e.ipt_otp_no = $7)
  and ($8 = '' or f.flag_type = $8) and ($9 = '' or f.flag = $9)
order by f.registered_at, f.flag_id limit $10 offset $11
"""


class StayFlag(msgspec.Struct, frozen=True):
    """One row of ``encounters.stay_flag``; the fields stand in the order of the table."""

    psn_no: str
    flag_id: str
    mdtrt_id: str
    admdvs: str
    fixmedins_code: str
    flag_type: str
    flag: str
    memo: str
    registered_at: datetime
    opter: str


class FlagFilter(msgspec.Struct, frozen=True):
    """What flags are looked for; "" takes all."""

    flag_id: str = ""
    mdtrt_id: str = ""
    psn_no: str = ""
    certno: str = ""
    name: str = ""
    visit_no: str = ""
    flag_type: str = ""
    flag: str = ""


async def add_flag(tx: Connection, flag: StayFlag) -> None:
    """Write a flag. No settlement rests on one."""
    await tx.execute(INSERT, msgspec.structs.astuple(flag))


async def list_flags(
    tx: Connection, wanted: FlagFilter, *, fixmedins_code: str, limit: int, offset: int
) -> list[asyncpg.Record]:
    """Return a page of an institution's flags in the order of registration; ``total`` counts all of them."""
    w = wanted
    return await tx.fetch(PAGE, fixmedins_code, w.flag_id, w.mdtrt_id, w.psn_no, w.certno, w.name, w.visit_no,
                          w.flag_type, w.flag, limit, offset)
