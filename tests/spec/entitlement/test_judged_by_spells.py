"""What a hospital sees of benefit status: 1101, 2001, registration and settlement over HTTP, before and after arrears."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import date, datetime, timedelta
from typing import Any, TypeVar

import asyncpg
import pytest

from tests.support.till import Refused, Till
from yibao.infra.database import Connection, Database
from yibao.infra.policy_files import read_policy_files
from yibao.kernel.business_time import SHANGHAI, business_date
from yibao.kernel.refusal import Refusal
from yibao.policy.law.loading import load_policy
from yibao.usecases.entitlement.benefit_on import Benefit, benefit_history, benefit_on
from yibao.usecases.entitlement.refresh import refresh_entitlement
from yibao.usecases.entitlement.refresh_region import refresh_region
from yibao.usecases.settlement.shelf import PolicyShelf
from yibao.usecases.verification.entitlement_checks import ENTITLEMENT_CHECKS
from yibao.usecases.verification.verify_books import CHECKS

T = TypeVar("T")
Patient = dict[str, Any]
PatientOf = Callable[[str], Patient]
NOW = datetime.now(SHANGHAI)
THIS = NOW.date().replace(day=1)
SHELF = PolicyShelf({r: load_policy(files) for r, files in read_policy_files().items()})


def month(back: int) -> date:
    """Return the first day of the month so many months ago."""
    day = THIS
    for _ in range(back):
        day = (day - timedelta(days=1)).replace(day=1)
    return day


def on(url: str, deed: Callable[[Connection], Awaitable[T]], *, role: str | None = None) -> T:
    """Do something in one transaction."""
    async def within() -> T:
        database = await Database.open(url, role=role, size=1)
        try:
            async with database.transaction() as tx:
                return await deed(tx)
        finally:
            await database.close()

    return asyncio.run(within())


def owe(url: str, psn_no: str, months: dict[int, date | None], *, at: datetime) -> None:
    """Write dues of months ago with the day they were paid, or None, and let entitlement follow."""
    async def write(tx: Connection) -> None:
        for back, paid_on in months.items():
            first = month(back)
            await tx.execute(
                """insert into contributions.due (psn_no, due_id, admdvs, relation_id, insutype, month, months, kind,
                     payer_kind, payer_no, base_fen, parts, amounts, funds, total_fen, bill_id, state, assessed_at,
                     paid_on, paid_at, policy_version)
                   values ($1, $2, '370300', $1 || '01', '310', $3, 1, 'regular', 'unit', 'E1', 500000,
                           '{unit.basic}', '{40000}', '{310100}', 40000, 'B1', $4, $5, $6, $7, '')
                   on conflict (psn_no, due_id) do update
                     set state = excluded.state, paid_on = excluded.paid_on, paid_at = excluded.paid_at""",
                psn_no, f"310-{first:%Y%m}-regular", first, "paid" if paid_on else "sent", at, paid_on,
                at if paid_on else None,
            )
        await refresh_entitlement(tx, [psn_no], now=at, shelf=SHELF)

    on(url, write)


def asked(till: Till, patient: Patient, day: date) -> dict[str, Any]:
    """Return what 2001 says of a visit on a day."""
    return dict(till.call("2001", {"data": {
        "psn_no": patient["psn_no"], "insutype": patient["insutype"], "fixmedins_code": till.counter.fixmedins_code,
        "med_type": patient["visit"]["med_type"], "begntime": f"{day} 09:00:00",
    }})["trtinfo"][0])


def status(till: Till, patient: Patient) -> str:
    """Return the relation's status that 1101 tells."""
    found = till.call("1101", {"data": {
        "mdtrt_cert_type": "02", "mdtrt_cert_no": patient["certno"], "psn_cert_type": "01", "certno": patient["certno"]}})
    return str(found["insuinfo"][0]["psn_insu_stas"])


def settle(till: Till, patient: Patient, *, begin: str | None = None) -> Any:
    """Drive a whole visit that begins at a time."""
    visit, place = patient["visit"], patient["insuplc_admdvs"]
    mdtrt_id = till.register(patient, begin=begin)
    till.record(patient, visit, mdtrt_id, begin=begin)
    till.upload(patient, visit, mdtrt_id, begin=begin)
    return till.call("2207", till.bill(patient, visit, mdtrt_id), insured_place=place)


def test_arrears_stop_benefits_and_back_payment_restores_them(
    till: Till, patient_of: PatientOf, world_url: str
) -> None:
    patient = patient_of("zb-active-first")
    # Paid until five months ago: four months ago covered, three months ago kept (ZB-X34), from then on stopped.
    owe(world_url, patient["psn_no"], {5: month(5) + timedelta(days=19), 4: None, 3: None, 2: None, 1: None}, at=NOW)
    assert status(till, patient) == "2"
    told = asked(till, patient, NOW.date())
    assert told["trt_enjymnt_flag"] == "0"
    assert "未按时缴费" in told["trt_chk_rslt"]
    assert f"{month(2)}" in told["trt_chk_rslt"]
    assert "缴清欠费" in told["trt_chk_rslt"]
    assert asked(till, patient, month(3))["trt_enjymnt_flag"] == "1"
    with pytest.raises(Refused, match="未按时缴费"):
        settle(till, patient)

    # Three months were not paid in time (the fourth was, before the month's end): continuous, ZB-823.
    later = NOW + timedelta(minutes=1)
    owe(world_url, patient["psn_no"], dict.fromkeys((4, 3, 2, 1), NOW.date()), at=later)
    assert status(till, patient) == "1"
    assert asked(till, patient, month(2))["trt_enjymnt_flag"] == "1"
    assert settle(till, patient)["setlinfo"]["psn_no"] == patient["psn_no"]

    # Then nobody knew; now everybody does.
    def of(at: datetime) -> Benefit:
        found = on(world_url, lambda tx: benefit_on(
            tx, patient["psn_no"], insutype="310", on=month(2), now=later, shelf=SHELF, known_at=at))
        assert isinstance(found, Benefit)
        return found

    then, now = of(NOW), of(later)
    assert (then.is_due, then.reason, now.is_due, now.reason) == (False, "unpaid", True, "back_paid")
    assert [c.rule for c in now.clauses] == ["ZB-823"]
    assert "补缴" in now.clauses[0].clause
    assert then.next_step


def test_a_long_gap_stays_a_gap_and_waits(till: Till, patient_of: PatientOf, world_url: str) -> None:
    patient = patient_of("zb-retired-first")  # loaded as retired: no dues, nothing changes
    on(world_url, lambda tx: refresh_entitlement(tx, [patient["psn_no"]], now=NOW, shelf=SHELF))
    assert asked(till, patient, NOW.date())["trt_enjymnt_flag"] == "1"

    patient = patient_of("zb-active-registration")
    owe(world_url, patient["psn_no"], {7: month(7) + timedelta(days=9)} | dict.fromkeys((6, 5, 4, 3, 2, 1), NOW.date()),
        at=NOW)
    told = asked(till, patient, NOW.date())
    assert told["trt_enjymnt_flag"] == "0"
    assert "等待期" in told["trt_chk_rslt"]
    with pytest.raises(Refused, match="等待期"):
        settle(till, patient)
    with pytest.raises(Refused, match="断缴期间"):
        settle(till, patient, begin=f"{month(3) + timedelta(days=4)} 09:00:00")


def test_the_same_facts_change_nothing_and_one_instant_leaves_no_trace(world_url: str, patient_of: PatientOf) -> None:
    psn_no = patient_of("zb-active-emergency")["psn_no"]

    async def both(tx: Connection) -> tuple[int, int, int, int]:
        version = "select version from people.person where psn_no = $1"
        before = await tx.fetchval(version, psn_no)
        await refresh_entitlement(tx, [psn_no], now=NOW + timedelta(minutes=2), shelf=SHELF)
        rows = await tx.fetchval("select count(*) from entitlement.spell where psn_no = $1", psn_no)
        again = await refresh_entitlement(tx, [psn_no, psn_no], now=NOW + timedelta(minutes=3), shelf=SHELF)
        await tx.execute("update people.person set died_on = $2 where psn_no = $1", psn_no, NOW.date())
        await refresh_entitlement(tx, [psn_no], now=NOW + timedelta(minutes=4), shelf=SHELF)
        await tx.execute("update people.person set died_on = null where psn_no = $1", psn_no)
        await refresh_entitlement(tx, [psn_no], now=NOW + timedelta(minutes=4), shelf=SHELF)
        same = await tx.fetchval(
            "select count(*) from entitlement.spell where psn_no = $1 and reason = 'dead'", psn_no)
        return again, rows, same, await tx.fetchval(version, psn_no) - before

    again, rows, dead, moved = on(world_url, both)
    assert (again, dead, moved) == (0, 0, 4)
    assert rows >= 1


def test_a_whole_region_is_refreshed_and_the_books_are_clean(world_url: str, till: Till, patient_of: PatientOf) -> None:
    async def refresh(database: Database) -> tuple[int, int]:
        done = await refresh_region(database, admdvs="441300", now=NOW + timedelta(minutes=5), shelf=SHELF, chunk=7)
        again = await refresh_region(database, admdvs="441300", now=NOW + timedelta(minutes=6), shelf=SHELF)
        return done.changed, again.changed

    async def within() -> tuple[int, int]:
        database = await Database.open(world_url, role=None, size=2)
        try:
            return await refresh(database)
        finally:
            await database.close()

    # What 2001 said of loaded people it says again once their status is kept as spells.
    people = [patient_of(s) for s in ("hz-active-first", "hz-resident-first", "hz-pool-only", "hz-retired-first")]
    before = [asked(till, p, NOW.date())["trt_enjymnt_flag"] for p in people]
    changed, again = asyncio.run(within())
    assert changed > 0
    assert again == 0
    assert [asked(till, p, NOW.date())["trt_enjymnt_flag"] for p in people] == before

    async def agree(tx: Connection) -> list[asyncpg.Record]:
        return await tx.fetch("""
            select o.psn_no, o.benefit_from, o.benefit_to, s.*
            from entitlement.opening o join enrolment.relation r using (psn_no, relation_id)
            join people.person p using (psn_no)
            left join entitlement.spell s on s.psn_no = o.psn_no and s.insutype = r.insutype and s.known_to is null
                 and s.begin_on <= $1 and (s.end_on is null or s.end_on > $1)
            where o.admdvs = '441300' and (o.benefit_from <= $1 and coalesce(o.benefit_to, 'infinity') > $1)
                  is distinct from s.is_due and p.died_on is null
               or o.admdvs = '441300' and s.is_due and (s.reason <> 'loaded' or s.paid_months <> o.paid_months)""", NOW.date())

    assert on(world_url, agree) == []

    async def verify(tx: Connection) -> list[str]:
        assert all(check in CHECKS for check in ENTITLEMENT_CHECKS)
        return [check.says for check in ENTITLEMENT_CHECKS if await tx.fetch(check.sql)]

    assert on(world_url, verify) == []


def test_the_gateway_reads_spells_and_writes_none(world_url: str, patient_of: PatientOf) -> None:
    psn_no = patient_of("zb-active-first")["psn_no"]

    async def close(tx: Connection) -> None:
        await tx.execute("update entitlement.spell set known_to = now() where psn_no = $1", psn_no)

    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        on(world_url, close, role="yibao_gateway")


def test_somebody_unknown_and_somebody_before_any_enrolment(world_url: str, patient_of: PatientOf) -> None:
    psn_no = patient_of("zb-active-first")["psn_no"]

    async def ask(tx: Connection) -> tuple[Any, Any, Any]:
        return (
            await benefit_on(tx, "0", insutype="310", on=business_date(NOW), now=NOW, shelf=SHELF),
            await benefit_on(tx, psn_no, insutype="310", on=date(1990, 1, 1), now=NOW, shelf=SHELF),
            await benefit_history(tx, "0", known_at=NOW, shelf=SHELF),
        )

    unknown, before, nobody = on(world_url, ask)
    assert isinstance(unknown, Refusal)
    assert unknown.code == "PERSON_NOT_FOUND"
    assert isinstance(before, Refusal)
    assert before.code == "NOT_ENROLLED"
    assert isinstance(nobody, Refusal)


def test_the_day_of_death_is_the_last_one_with_benefits(till: Till, patient_of: PatientOf, world_url: str) -> None:
    """Who died yesterday was entitled yesterday, also where the death is known before the bill; from today on nobody is."""
    patient, died_on = patient_of("zb-active-first"), NOW.date() - timedelta(days=1)

    async def die(tx: Connection, day: date | None = died_on) -> None:
        await tx.execute("update people.person set died_on = $2 where psn_no = $1", patient["psn_no"], day)
        await refresh_entitlement(tx, [patient["psn_no"]], now=datetime.now(SHANGHAI), shelf=SHELF)

    on(world_url, die)
    try:
        assert asked(till, patient, died_on)["trt_enjymnt_flag"] == "1"
        assert asked(till, patient, NOW.date())["trt_enjymnt_flag"] == "0"
        settled = settle(till, patient, begin=f"{died_on} 09:00:00")["setlinfo"]
        assert float(settled["fund_pay_sumamt"]) + float(settled["acct_pay"]) > 0
        with pytest.raises(Refused, match=r"已于.*死亡"):
            till.register(patient, begin=f"{NOW.date()} 00:30:00")
    finally:
        on(world_url, lambda tx: die(tx, None))
