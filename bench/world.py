"""Prepares the database: catalogues, a small demo world, and any number of visits that wait to be settled.

One visit of each size goes the whole way through the platform (2201, 2203, 2204, 2206); the others are its
copies, made in SQL, for people who are copies of its patient.
"""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from itertools import count
from pathlib import Path

import msgspec

from bench.bills import VISITS_PER_PERSON, BillForm, bill_form, first_person, first_visit, order_lines
from yibao.app import create_app
from yibao.demo.desks import read_desks
from yibao.demo.hospital import Hospital
from yibao.demo.orders import VisitOrder
from yibao.demo.senders import asgi_sender
from yibao.demo.world import build_world
from yibao.entrypoints.gateway.routes import SINGLE_ENDPOINT
from yibao.infra.config import Settings
from yibao.infra.database import Connection, Database
from yibao.infra.migrate import migrate
from yibao.kernel.business_time import business_date, to_wire
from yibao.kernel.clock import SystemClock
from yibao.kernel.ids import RandomIds
from yibao.usecases.catalogue.load_catalogue import load_all
from yibao.usecases.policies.publish_policies import publish_policies

REGION = "370300"
_BALANCE_FEN = 2_000_000

_PATIENT = """
select p.psn_no, p.name, p.certno from people.person p
join enrolment.relation r on r.psn_no = p.psn_no and r.insutype = '310' and r.status = '1' and r.benefit_to is null
join ledger.personal_account a on a.psn_no = p.psn_no
where p.admdvs = $1 and p.died_on is null and p.story is null and r.psn_type like '11%' order by p.psn_no limit 1
"""
_HOSPITAL = """
select fixmedins_code from institutions.institution
where region = $1 and auth_scheme = 'none' and kind = '1' and suspended_on is null order by fixmedins_code limit 1
"""
_PEOPLE = {
    "people.person": {"psn_no": "n::text", "certno": "n::text", "card_no": "null", "version": "0"},
    "enrolment.relation": {"psn_no": "n::text", "relation_id": "n::text"},
}
_ACCOUNTS = """
insert into ledger.personal_account (psn_no, admdvs, balance_fen, opened_on)
select n::text, $1, $2, current_date from generate_series($3::bigint, $4) n
"""
_OPENINGS = """
insert into ledger.posting (psn_no, posting_id, admdvs, kind, posted_at, accounts, amounts)
select n::text, n::text || '00', $1, 'opening', now(), array['opening:' || $1, 'account:' || n], array[-$2::bigint, $2]
from generate_series($3::bigint, $4) n
"""
_COLUMNS = """
select attname from pg_attribute where attrelid = $1::regclass and attnum > 0 and not attisdropped order by attnum
"""


class Sample(msgspec.Struct, frozen=True):
    """What the visit of a size that went the whole way left behind.

    Attributes:
        form: the message that settles a copy.
        mdtrt_id: the visit that waits to be settled, of which copies are made.
        setl_id: the settlement of a second visit like it; pgbench writes rows like its rows.
    """

    form: BillForm
    psn_no: str
    mdtrt_id: str
    setl_id: str


async def build(url: str, *, visits: Mapping[int, int]) -> dict[int, Sample]:
    """Fill an empty database and return the sample of each size.

    Args:
        url: owner's role.
        visits: how many visits to copy, by number of fee lines.
    """
    await migrate(url)
    clock = SystemClock()
    database = await Database.open(url, role=None, size=2)
    try:
        await publish_policies(database, now=clock.now())
        await load_all(database, now=clock.now(), ids=RandomIds())
        await build_world(
            database, persons=1000, seed=7, today=business_date(clock.now()), progress=lambda *_: None
        )
        samples = await _play(database, url, tuple(visits))
        for size, number in visits.items():
            await _copy_visits(database, samples[size], size=size, number=number)
        await database.fetch("vacuum analyze")
        return samples
    finally:
        await database.close()


async def _play(database: Database, url: str, sizes: tuple[int, ...]) -> dict[int, Sample]:
    """Drive two visits of each size through the platform: one stays open to be copied, one is settled."""
    with tempfile.TemporaryDirectory() as home:
        app = create_app(Settings(home=Path(home), database_url=url, demo=True, connections=2))
        await app.start()
        try:
            send = asgi_sender(app, SINGLE_ENDPOINT)
            hospital = Hospital(send, now=SystemClock().now, serials=count())
            return {size: await _play_one(database, hospital, size) for size in sizes}
        finally:
            await app.stop()


async def _play_one(database: Database, hospital: Hospital, size: int) -> Sample:
    patient = (await database.fetch(_PATIENT, REGION))[0]
    code = (await database.fetch(_HOSPITAL, REGION))[0]["fixmedins_code"]
    desk = (await read_desks(database))[code][0]

    def order(visit_no: str) -> VisitOrder:
        return VisitOrder(
            psn_no=patient["psn_no"], psn_name=patient["name"], certno=patient["certno"], insutype="310",
            insuplc_admdvs=REGION, desk=desk, visit_no=visit_no, med_type="11", diag_code="J06.900",
            diag_name="急性上呼吸道感染", lines=order_lines(size),
        )

    settled = await hospital.settle(order(f"bench-{size}-settled"))
    waiting = order(f"bench-{size}-waiting")
    mdtrt_id = await hospital.register(waiting)
    await hospital.record(waiting, mdtrt_id)
    await hospital.upload(waiting, mdtrt_id, "1")
    form = bill_form(waiting, settled.setlinfo, batch="1", sent_at=to_wire(SystemClock().now()))
    return Sample(form, patient["psn_no"], mdtrt_id, settled.setl_id)


async def _copy_visits(database: Database, sample: Sample, *, size: int, number: int) -> None:
    """Copy the patient and the waiting visit ``number`` times."""
    people = -(-number // VISITS_PER_PERSON)
    first, last = first_person(size), first_person(size) + people - 1
    async with database.transaction() as tx:
        for table, changed in _PEOPLE.items():
            await _copy(
                tx, table, changed, f"psn_no = '{sample.psn_no}'" + _only_employee(table),
                f"generate_series({first}, {last}) n",
            )
        await tx.execute(_ACCOUNTS, REGION, _BALANCE_FEN, first, last)
        await tx.execute(_OPENINGS, REGION, _BALANCE_FEN, first, last)
        changed = {
            "psn_no": f"({first} + (n - {first_visit(size)}) / {VISITS_PER_PERSON})::text", "mdtrt_id": "n::text",
        }
        visits = f"generate_series({first_visit(size)}, {first_visit(size) + number - 1}) n"
        source = f"psn_no = '{sample.psn_no}' and mdtrt_id = '{sample.mdtrt_id}'"
        for table in ("encounters.encounter", "encounters.diagnosis", "encounters.fee_line"):
            extra = {"ipt_otp_no": "n::text"} if table == "encounters.encounter" else {}
            await _copy(tx, table, {**changed, **extra}, source, visits)


def _only_employee(table: str) -> str:
    return " and insutype = '310'" if table == "enrolment.relation" else ""


async def _copy(tx: Connection, table: str, changed: Mapping[str, str], source: str, numbers: str) -> None:
    """Copy the rows of ``table`` that fit ``source`` once per number ``n``, with some columns changed."""
    names = [row["attname"] for row in await tx.fetch(_COLUMNS, table)]
    listed = ", ".join(names)
    chosen = ", ".join(changed.get(name, f"t.{name}") for name in names)
    await tx.execute(
        f"insert into {table} ({listed}) select {chosen} from {numbers}, (select * from {table} where {source}) t"
    )

