"""Which national code an own item stands for on a day: random uploads and decisions against a plain calendar."""

from __future__ import annotations

import random
from datetime import date, datetime, timedelta

import pytest

from yibao.domains.institutions.item_mappings import ItemMapping, find_for_lines
from yibao.domains.institutions.model import Institution
from yibao.infra.database import Database
from yibao.kernel.business_time import SHANGHAI
from yibao.kernel.ids import CountingIds
from yibao.kernel.refusal import Refusal
from yibao.usecases.catalogue.decide_mapping import decide_mapping
from yibao.usecases.catalogue.map_items import map_items, unmap_item

NOW = datetime(2026, 11, 22, 9, 0, tzinfo=SHANGHAI)
FIRST, DAYS = date(2026, 1, 1), 40
CODES = [f"XA01ABD075A00201088{n}001" for n in range(4)]
HOSPITAL = Institution(
    "H37030300001", "370303", "370300", "示例医院", "X", "1", "2", "3", frozenset(), "A", date(2020, 1, 1), date(2030, 1, 1), None
)


class Calendar:
    """One page for each day with the upload that holds it; an upload is a number, its code stands beside."""

    def __init__(self) -> None:
        self.pages: dict[int, int] = {}
        self.uploads: dict[int, tuple[str, int, int]] = {}
        self.waiting: set[int] = set()

    def upload(self, number: int, code: str, begin: int, end: int, *, agrees: bool) -> None:
        """A new upload sends home what waits and begins within it; it takes effect at once where it agrees."""
        self.waiting -= {n for n in self.waiting if begin <= self.uploads[n][1] <= end}
        self.uploads[number] = (code, begin, end)
        if agrees:
            self.take_effect(number)
        else:
            self.waiting.add(number)

    def take_effect(self, number: int) -> None:
        """Older uploads that hold a day of the new one lose every day from its begin on; newer ones keep theirs."""
        _, begin, end = self.uploads[number]
        met = {n for day, n in self.pages.items() if begin <= day <= end and n < number}
        self.pages = {day: n for day, n in self.pages.items() if n not in met or day < begin}
        for day in range(begin, end + 1):
            if self.pages.get(day, 0) > number:
                break
            self.pages[day] = number
        self.waiting.discard(number)

    def withdraw(self, code: str) -> bool:
        """Take back everything of a national code that holds or waits; say whether there was anything."""
        of_code = {n for n, (c, _, _) in self.uploads.items() if c == code}
        is_there = bool(of_code & (set(self.pages.values()) | self.waiting))
        self.pages = {day: n for day, n in self.pages.items() if n not in of_code}
        self.waiting -= of_code
        return is_there

    def codes(self) -> list[str | None]:
        """Return the code of each day."""
        return [self.uploads[self.pages[day]][0] if day in self.pages else None for day in range(DAYS)]


@pytest.fixture(scope="module")
async def filled(database: Database) -> Database:
    async with database.connection() as connection:
        await connection.execute(
            "insert into institutions.institution (fixmedins_code, admdvs, region, name, uscc, kind, level, agreement_no, "
            "agreement_from, agreement_to, auth_scheme) values ($1, '370303', '370300', '示例医院', 'X', '1', '3', 'A', "
            "'2020-01-01', '2030-01-01', 'none')", HOSPITAL.fixmedins_code,
        )
        for code in CODES:
            await connection.execute(
                "insert into catalogue.item (code, list_type, name, charge_type, origin, valid_from, version) "
                "values ($1, '101', $1, '09', 'national', '2020-01-01', 'v2020')", code,
            )
    return database


@pytest.mark.parametrize("seed", range(25))
async def test_every_day_has_the_code_of_the_plain_calendar(
    filled: Database, gateway_database: Database, seed: int
) -> None:
    rng, calendar, own, ids = random.Random(seed), Calendar(), f"S{seed}", CountingIds(1000 * seed)
    numbers: dict[int, str] = {}
    for number in range(1, 25):
        now = NOW + timedelta(minutes=number)
        step = rng.choice(["upload", "upload", "upload", "approve", "refuse", "withdraw"])
        async with gateway_database.transaction() as tx:
            if step == "upload":
                code, agrees = rng.choice(CODES), rng.random() < 0.4
                begin = rng.randrange(DAYS - 1)
                end = rng.randrange(begin, DAYS)
                # A name that was approved once is approved again: each upload that differs has a name of its own.
                mapping = ItemMapping(
                    own, "101", code, code if agrees else f"{code}-{number}", FIRST + timedelta(days=begin),
                    FIRST + timedelta(days=end), {}, now,
                )
                done = await map_items(tx, institution=HOSPITAL, mappings=[mapping], upload_id=ids.new(now))
                assert not isinstance(done, Refusal)
                numbers[number] = done.mappings[0].mapping_id
                calendar.upload(number, code, begin, end, agrees=agrees)
            elif step == "withdraw":
                code = rng.choice(CODES)
                refusal = await unmap_item(
                    tx, institution=HOSPITAL, fixmedins_code=HOSPITAL.fixmedins_code, list_type="101", medins_list_codg=own,
                    med_list_codg=code, now=now,
                )
                assert (refusal is None) == calendar.withdraw(code)
        if step in ("approve", "refuse") and numbers:
            chosen = rng.choice(list(numbers))
            async with filled.transaction() as tx:
                decided = await decide_mapping(
                    tx, mapping_id=numbers[chosen], is_approved=step == "approve", by="甲", reason="看过", now=now, ids=ids,
                    channel="cli",
                )
            assert isinstance(decided, Refusal) == (chosen not in calendar.waiting)
            if chosen in calendar.waiting:
                calendar.waiting.discard(chosen)
                if step == "approve":
                    calendar.take_effect(chosen)
    async with gateway_database.connection() as connection:
        days = [FIRST + timedelta(days=day) for day in range(DAYS)]
        expected = calendar.codes()
        found, _ = await find_for_lines(
            connection, fixmedins_code=HOSPITAL.fixmedins_code,
            lines=[(own, code or "", day) for code, day in zip(expected, days, strict=True)],
        )
        overlapping = await connection.fetchval(
            "select count(*) from institutions.item_mapping a join institutions.item_mapping b "
            "on b.fixmedins_code = a.fixmedins_code and b.medins_list_codg = a.medins_list_codg and b.revision > a.revision "
            "and b.state = 'approved' and a.valid_from <= b.valid_to and b.valid_from <= a.valid_to "
            "where a.state = 'approved' and a.medins_list_codg = $1", own,
        )
    approved = [m.med_list_codg if m is not None and m.state == "approved" else None for m in found]
    assert approved == expected
    assert overlapping == 0
