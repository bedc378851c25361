"""Who stood on a list of assisted persons before being enrolled gets the identity at enrolment."""

from __future__ import annotations

from collections.abc import Sequence

from yibao.domains.enrolment.operations import put_identities
from yibao.domains.people.model import Person
from yibao.infra.database import Connection

# The newest list of each identity is the whole truth about it.
WAITING = """
select distinct on (l.identity_type, w.cert_type, w.certno) w.cert_type, w.certno, l.identity_type, l.valid_from, w.valid_to,
       l.list_id
from enrolment.assisted_row w join enrolment.assisted_list l on l.list_id = w.list_id
where w.outcome = 'unknown' and w.admdvs = $1 and w.certno = any($2::text[])
  and not exists (select from enrolment.assisted_list n where n.admdvs = l.admdvs and n.identity_type = l.identity_type
                  and n.valid_from > l.valid_from)
order by l.identity_type, w.cert_type, w.certno
"""


async def give_waiting_identities(tx: Connection, persons: Sequence[Person]) -> None:
    """Give new persons the identities that the newest lists hold for them."""
    if not persons:
        return
    by_document = {(p.cert_type, p.certno): p for p in persons}
    rows = await tx.fetch(WAITING, persons[0].admdvs, [p.certno for p in persons])
    found = [(by_document[key], row) for row in rows if (key := (row["cert_type"], row["certno"])) in by_document]
    await put_identities(tx, [
        (p.psn_no, row["identity_type"], p.admdvs, row["valid_from"], row["valid_to"], row["list_id"]) for p, row in found
    ])
