"""Filings that meet: one of two at the same place, once for a repeated message, and never under a settlement's feet."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import date, datetime
from typing import Any

import asyncpg
import pytest

from tests.spec.filings.conftest import look
from tests.support.filing_desk import choice, chronic, filed, referral
from tests.support.till import Refused, Till, new_msgid
from yibao.domains.applications.model import ProviderChoice
from yibao.domains.institutions.queries import find_institution
from yibao.infra.database import Database
from yibao.infra.policy_files import read_policy_files
from yibao.kernel.business_time import SHANGHAI
from yibao.kernel.refusal import Refusal
from yibao.policy.law.loading import load_policy
from yibao.usecases.filings.file_choice import ChoiceCommand, cancel_choice, file_choice
from yibao.usecases.filings.insured import Cancelling, Operator
from yibao.usecases.settlement.shelf import PolicyShelf
from yibao.usecases.verification.check import Check
from yibao.usecases.verification.filing_checks import FILING_CHECKS

Desks = Mapping[str, Till]
PatientOf = Callable[[str], dict[str, Any]]


@pytest.mark.drives("2505")
def test_of_two_first_choices_at_once_one_stands(desks: Desks, patient_of: PatientOf, world_url: str) -> None:
    patient, tills = patient_of("hz-active-first"), (desks["hz1"], desks["hz2"])

    def choose(till: Till) -> bool:
        try:
            filed(till, "2505", choice(patient, till))
        except Refused:
            return False
        return True

    with ThreadPoolExecutor(2) as threads:
        assert sorted(threads.map(choose, tills)) == [False, True]
    assert look(world_url, "select count(*) from applications.provider_choice where psn_no = $1", patient["psn_no"]) == [(1,)]


@pytest.mark.drives("2501")
def test_a_repeated_message_files_once(desks: Desks, patient_of: PatientOf, world_url: str) -> None:
    patient, till, msgid = patient_of("hz-pool-only"), desks["hz1"], new_msgid()
    message = till.envelope("2501", referral(patient, desks["hz2"]), msgid=msgid)
    assert till.ask(message) == till.ask(message)
    assert look(world_url, "select count(*) from applications.referral where psn_no = $1", patient["psn_no"]) == [(1,)]


class Bureau:
    """Choices on days of our own: the clock is an argument."""

    def __init__(self, url: str, psn_no: str) -> None:
        self.url, self.psn_no, self.number = url, psn_no, 0
        self.shelf = PolicyShelf({code: load_policy(texts) for code, texts in read_policy_files().items()})

    def choose(self, till: Till, *, on: date, begin: date, ordinal: str = "1") -> ProviderChoice | Refusal:
        self.number += 1
        command = ChoiceCommand(
            self.psn_no, "03", ordinal, till.counter.fixmedins_code, till.counter.fixmedins_name, begin, None, {})
        return asyncio.run(self._choose(command, datetime(on.year, on.month, on.day, 9, tzinfo=SHANGHAI)))

    async def _choose(self, command: ChoiceCommand, now: datetime) -> ProviderChoice | Refusal:
        database = await Database.open(self.url, role=None, size=1)
        try:
            async with database.transaction() as tx:
                institution = await find_institution(tx, command.fixmedins_code)
                assert institution is not None
                return await file_choice(
                    tx, command=command, institution=institution, operator=Operator(command.fixmedins_code, "1", "收费员"),
                    shelf=self.shelf, filing_id=f"{self.psn_no}-{self.number}", now=now,
                )
        finally:
            await database.close()

    def take_back(self, filing: ProviderChoice, *, on: date) -> Refusal | None:
        async def act() -> Refusal | None:
            database = await Database.open(self.url, role=None, size=1)
            try:
                async with database.transaction() as tx:
                    at = datetime(on.year, on.month, on.day, 9, tzinfo=SHANGHAI)
                    return await cancel_choice(tx, Cancelling(self.psn_no, filing.filing_id, filing.filed_by, "误", at))
            finally:
                await database.close()

        return asyncio.run(act())

    def periods(self) -> list[tuple[Any, ...]]:
        return look(self.url, "select fixmedins_code, ordinal, valid_from, valid_to from applications.provider_choice "
                    "where psn_no = $1 and cancelled_at is null order by ordinal, valid_from", self.psn_no)


@pytest.fixture
def bureau(world_url: str, patient_of: PatientOf) -> Bureau:
    return Bureau(world_url, patient_of("hz-active-account-short")["psn_no"])


def test_a_choice_is_changed_only_in_autumn_and_for_the_next_year(desks: Desks, bureau: Bureau) -> None:
    """HZ-309: from September to December, in force from 1 January; HZ-308: two where one is primary care."""
    clinic, hospital, third = desks["hz1"], desks["hz2"], desks["hz3"]
    codes = [till.counter.fixmedins_code for till in (clinic, hospital, third)]
    first = bureau.choose(clinic, on=date(2026, 3, 2), begin=date(2026, 3, 2))
    assert isinstance(first, ProviderChoice)
    closed = bureau.choose(hospital, on=date(2026, 8, 31), begin=date(2027, 1, 1))
    assert isinstance(closed, Refusal)
    assert (closed.code, closed.faults[0].basis) == ("CHOICE_WINDOW_CLOSED", "HZ-309")
    early = bureau.choose(hospital, on=date(2026, 9, 1), begin=date(2026, 12, 31))
    assert isinstance(early, Refusal)
    assert early.code == "CHOICE_TOO_EARLY"
    changed = bureau.choose(hospital, on=date(2026, 9, 1), begin=date(2027, 1, 1))
    assert isinstance(changed, ProviderChoice)
    assert bureau.periods() == [
        (codes[0], "1", date(2026, 3, 2), date(2027, 1, 1)), (codes[1], "1", date(2027, 1, 1), None)]
    pending = bureau.choose(third, on=date(2026, 10, 1), begin=date(2027, 1, 1))
    assert isinstance(pending, Refusal)
    assert pending.code == "CHOICE_PENDING"

    # Taken back before it begins, the earlier choice holds on as before.
    assert bureau.take_back(changed, on=date(2026, 12, 1)) is None
    assert bureau.periods() == [(codes[0], "1", date(2026, 3, 2), None)]

    # A second one beside a clinic of primary care, in the middle of the year: it changes nothing.
    second = bureau.choose(third, on=date(2026, 5, 4), begin=date(2026, 5, 4), ordinal="2")
    assert isinstance(second, ProviderChoice)
    in_force = bureau.take_back(second, on=date(2026, 5, 5))
    assert isinstance(in_force, Refusal)
    assert in_force.code == "CHOICE_IN_FORCE"
    again = bureau.choose(third, on=date(2026, 9, 1), begin=date(2027, 1, 1), ordinal="1")
    assert isinstance(again, Refusal)
    # Without the clinic none of the two is of primary care, and the third is chosen already.
    assert [fault.code for fault in again.faults] == ["CHOICE_TOO_MANY", "CHOICE_REPEATED"]


PLANTED = (
    "delete from applications.chronic_recognition r using applications.chronic_filing f where r.psn_no = f.psn_no "
    "and r.disease_code = f.disease_code and f.state = 'approved'",
    "update applications.chronic_filing set decided_by = '' where state = 'approved'",
    "insert into applications.provider_choice select psn_no, filing_id || 'x', admdvs, kind, ordinal, fixmedins_code, "
    "fixmedins_name, '', valid_from, valid_to, detail, filed_by, filed_at, opter, opter_name, null "
    "from applications.provider_choice where cancelled_at is null",
    "insert into applications.maternity select psn_no, filing_id || n, admdvs, '310', '', null, null, current_date, null, "
    "'{}', filed_by, filed_at, opter, opter_name, null from applications.provider_choice, generate_series(1, 2) n",
)


def test_verify_finds_what_is_planted_and_nothing_else(
    desks: Desks, patient_of: PatientOf, world_url: str
) -> None:
    """Each check of filings is silent on what the messages made, and names a breach that nobody could file."""
    patient, till = patient_of("hz-active-class-b-rounding"), desks["hz1"]
    filed(till, "2505", choice(patient, till))
    filed(till, "2503", chronic(patient, till, ("M03900", "高血压病")))

    async def count(check: Check, planted: str) -> int:
        connection = await asyncpg.connect(world_url)
        transaction = connection.transaction()
        await transaction.start()
        try:
            if planted:
                assert not (await connection.execute(planted)).endswith(" 0")
            return len(await connection.fetch(check.sql))
        finally:
            await transaction.rollback()
            await connection.close()

    for check, planted in zip(FILING_CHECKS, PLANTED, strict=True):
        assert asyncio.run(count(check, "")) == 0, check.says
        assert asyncio.run(count(check, planted)) > 0, check.says
