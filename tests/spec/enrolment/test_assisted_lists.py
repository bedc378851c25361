"""Lists of assisted persons: whole or not at all; who fell off has the identity no longer."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import date
from typing import Any

from tests.support.registry import ZIBO, Office, at, card
from yibao.usecases.enrolment.commands import AssistedPerson, EnrolResident, TakeAssistedList
from yibao.usecases.enrolment.enrol_resident import enrol_resident
from yibao.usecases.enrolment.take_assisted_list import take_assisted_list

NAMES = ("低保甲", "低保乙", "低保丙", "低保丁")
NUMBERS = tuple(card(f"196{n}-05-05", 2 * n + 1) for n in range(4))


def listed(*who: int, name: str = "", until: str = "") -> list[AssistedPerson]:
    """Return lines of a list; ``name`` stands in place of the first one's own."""
    return [
        AssistedPerson(certno=NUMBERS[n], name=name if name and n == who[0] else NAMES[n],
                       valid_to=date.fromisoformat(until) if until else None)
        for n in who
    ]


def assisted(
    rows: Sequence[AssistedPerson], *, list_id: str = "MZ-1", valid_from: str = "2025-03-01", **more: Any
) -> TakeAssistedList:
    """Return a list with count and digest as civil affairs writes them: by the description alone."""
    lines = sorted(f"{r.certno},{r.name},{r.valid_to or ''}\n" for r in rows)
    said = {"count": len(rows), "digest": hashlib.new("sm3", "".join(lines).encode()).hexdigest(), **more}
    return TakeAssistedList(admdvs=ZIBO, list_id=list_id, identity_type="2303", valid_from=date.fromisoformat(valid_from),
                            rows=tuple(rows), **said)


async def enrolled(office: Office, *who: int) -> list[str]:
    """Enrol residents of the names above."""
    return [str((await office.done(enrol_resident, EnrolResident(admdvs=ZIBO, name=NAMES[n], certno=NUMBERS[n]))).psn_no)
            for n in who]


HELD = """
select p.name, i.valid_from::text, i.valid_to::text from enrolment.special_identity i join people.person p using (psn_no)
order by 1, 2
"""


async def test_who_is_on_the_list_has_the_identity_and_who_falls_off_loses_it(office: Office) -> None:
    """Two lists in turn: one stays with its first day, one ends, one begins, one waits for the enrolment."""
    await enrolled(office, 0, 1, 2)
    first = await office.done(take_assisted_list, assisted(listed(0, 1, 3)))
    assert (first.added, first.kept, first.ended, first.doubtful) == (2, 0, 0, 1)
    office.now = at("2025-06-02")
    second = await office.done(take_assisted_list, assisted(listed(0, 2, 3), list_id="MZ-2", valid_from="2025-06-01"))
    assert (second.added, second.kept, second.ended) == (1, 1, 1)
    assert await office.rows(HELD) == [
        ("低保丙", "2025-06-01", None), ("低保乙", "2025-03-01", "2025-06-01"), ("低保甲", "2025-03-01", None)]
    await enrolled(office, 3)
    assert ("低保丁", "2025-06-01", None) in await office.rows(HELD), "known from the list, given at enrolment"


async def test_the_same_list_again_changes_nothing_and_an_older_one_is_refused(office: Office) -> None:
    """Its number stands for its content."""
    await enrolled(office, 0)
    await office.done(take_assisted_list, assisted(listed(0)))
    before = await office.everything()
    again = await office.done(take_assisted_list, assisted(listed(0)))
    assert not again.is_new
    assert await office.everything() == before
    assert await office.refused(take_assisted_list, assisted(listed(0, 1))) == ["LIST_NUMBER_REUSED"]
    old = assisted(listed(1), list_id="MZ-0", valid_from="2025-02-01")
    assert await office.refused(take_assisted_list, old) == ["LIST_OLDER"]


async def test_wrong_count_digest_identity_and_lines_refuse_the_list_whole(office: Office) -> None:
    """Every fault is told; nobody gains or loses anything."""
    await enrolled(office, 0)
    await office.done(take_assisted_list, assisted(listed(0)))
    bad = [AssistedPerson(certno=NUMBERS[1][:-1] + "?", name="错号"), *listed(2, 2)]
    codes = await office.refused(take_assisted_list, assisted(bad, list_id="MZ-2", count=2, digest="00"))
    assert sorted(codes) == ["CERTNO_INVALID", "LIST_COUNT_DIFFERS", "LIST_DIGEST_DIFFERS", "TWICE_IN_LIST"]
    assert await office.rows(HELD) == [("低保甲", "2025-03-01", None)]


async def test_another_name_is_a_case_and_gives_nothing(office: Office) -> None:
    """The number is known under another name: no identity, and a case to work."""
    await enrolled(office, 0)
    taken = await office.done(take_assisted_list, assisted(listed(0, name="别的名")))
    assert (taken.added, taken.doubtful) == (0, 1)
    assert await office.rows(HELD) == []
    assert await office.rows("select kind, name, state from people.doubt") == [("listed_name_differs", "别的名", "open")]
