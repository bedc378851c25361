"""After a merge a hospital that shows the old document gets the kept person; the old number is refused with words."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from tests.support.registry import ZIBO, Office, card
from tests.support.till import Refused, Till
from yibao.infra.database import Database
from yibao.infra.policy_files import read_policy_files
from yibao.kernel.business_time import business_date
from yibao.kernel.clock import SystemClock
from yibao.policy.law.loading import load_policy
from yibao.usecases.enrolment.commands import EnrolResident, MergePersons
from yibao.usecases.enrolment.enrol_resident import enrol_resident
from yibao.usecases.enrolment.merge_persons import merge_persons
from yibao.usecases.settlement.shelf import PolicyShelf
from yibao.usecases.verification.verify_books import verify_books

OLD = card("1990-09-09", 21)


async def _merge(url: str, patient: dict[str, Any]) -> str:
    """Give a patient a second number under another document, merge it, and return the merged number."""
    database = await Database.open(url, role=None, size=1)
    try:
        office = Office(database, PolicyShelf({code: load_policy(f) for code, f in read_policy_files().items()}))
        office.now = SystemClock().now()
        today = business_date(office.now)
        begun = await office.done(enrol_resident, EnrolResident(
            admdvs=ZIBO, name=patient["psn_name"], certno=OLD, insured_on=today))
        await office.done(merge_persons, MergePersons(
            kept_no=patient["psn_no"], merged_no=begun.psn_no, reason="重复登记", evidence="身份证"))
        return str(begun.psn_no)
    finally:
        await database.close()


def test_the_old_document_answers_with_the_kept_person(
    till: Till, world: dict[str, Any], world_url: str
) -> None:
    """1101 by the old document; 2201 with the old number says what to do."""
    patient = next(p for p in world["patients"] if p["insuplc_admdvs"] == ZIBO and p["insutype"] == "310")
    merged_no = asyncio.run(_merge(world_url, patient))
    for shown in ({"mdtrt_cert_type": "02", "mdtrt_cert_no": OLD}, {"psn_cert_type": "01", "certno": OLD}):
        found = till.call("1101", {"data": {"psn_cert_type": "01", "certno": OLD, "psn_name": patient["psn_name"], **shown}},
                          insured_place=ZIBO)
        assert found["baseinfo"]["psn_no"] == patient["psn_no"]
        assert found["baseinfo"]["certno"] == patient["certno"]
    with pytest.raises(Refused, match="用1101"):
        till.register({**patient, "psn_no": merged_no, "insutype": "390"})
    assert till.register(patient)
    assert asyncio.run(_breaches(world_url)) == []


async def _breaches(url: str) -> list[str]:
    """Return what ``verify`` finds in the whole demo world."""
    database = await Database.open(url, role=None, size=1)
    try:
        async with database.transaction() as tx:
            return [f"{f.says}：{f.examples}" for f in await verify_books(tx, replay=0) if f.breaches]
    finally:
        await database.close()
