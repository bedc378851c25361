"""The traffic log never stands in anybody's way; agreements begin and end on their days."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import pytest

from yibao.domains.institutions.model import Institution, Sender
from yibao.domains.institutions.rules import check_agreement
from yibao.entrypoints.gateway.dispatch import gave_no_answer
from yibao.entrypoints.gateway.traffic import Entry, TrafficLog
from yibao.infra.database import Database, Unavailable


def entry(number: int, **changes: Any) -> Entry:
    """Return an entry of the log."""
    about: dict[str, Any] = {
        "id": str(number), "sender": "H", "msgid": "M", "admdvs": "370300", "infno": "1101", "outcome": "answered",
        "refusal_code": None, "psn_no": None, "mdtrt_id": None, "request": b"{}", "reply": b"{}",
        "received_at": datetime(2026, 1, 1, tzinfo=UTC), "took_us": 1, **changes,
    }
    return Entry(**about)


def unreachable() -> Database:
    """Return a database nobody answers for."""
    async def connect() -> Any:
        raise ConnectionRefusedError("nobody there")

    return Database(connect, size=1, acquire_timeout_s=0.01)


async def test_a_full_queue_gives_way_and_counts() -> None:
    """Memory is bounded: the oldest entries go, and a dead database costs entries, never an exception."""
    log = TrafficLog(unreachable())
    for number in range(2_100):
        log.put(entry(number))
    assert log.dropped == 100
    await log.stop()
    assert log.dropped == 2_100


def test_what_cannot_be_stored_is_made_storable() -> None:
    """NUL and surrogates stand in refused messages; the log takes them all the same."""
    row = entry(1, sender="H\x00", msgid="\ud800" * 300, psn_no="\x00", request=b"x" * 10**6).row()
    assert row[1] == "H?"
    assert row[2] == "?" * 200
    assert row[7] == "?"
    assert len(bytes(row[9])) == 256 * 1024  # type: ignore[call-overload]


def institution(**changes: Any) -> Institution:
    """Return an institution whose agreement runs through 2026."""
    about: dict[str, Any] = {
        "fixmedins_code": "H1", "admdvs": "370303", "region": "370300", "name": "某医院", "uscc": "", "kind": "1",
        "hosp_lv": "3", "level": "3", "traits": frozenset(), "agreement_no": "A", "agreement_from": date(2026, 1, 1),
        "agreement_to": date(2027, 1, 1), "suspended_on": None, **changes,
    }
    return Institution(**about)


@pytest.mark.parametrize(("day", "code"), [
    (date(2025, 12, 31), "AGREEMENT_NOT_YET_IN_FORCE"), (date(2026, 1, 1), None), (date(2026, 12, 31), None),
    (date(2027, 1, 1), "AGREEMENT_EXPIRED"),
])
def test_agreements_are_half_open(day: date, code: str | None) -> None:
    """The first day counts, the end day does not."""
    refusal = check_agreement(institution(), day)
    assert (refusal.code if refusal else None) == code


def test_a_suspension_begins_on_its_day() -> None:
    """The day before is still good."""
    suspended = institution(suspended_on=date(2026, 6, 1))
    assert check_agreement(suspended, date(2026, 5, 31)) is None
    refusal = check_agreement(suspended, date(2026, 6, 1))
    assert refusal is not None
    assert refusal.code == "AGREEMENT_SUSPENDED"
    assert "fixmedins_code" in refusal.sentence()


def test_a_sender_never_shows_its_secret() -> None:
    """Not in logs, not in a debugger's list."""
    assert "s3cret" not in repr(Sender(institution(), "tif_sha256", "key", "s3cret"))


@pytest.mark.parametrize(("error", "expected"), [
    (Unavailable("x"), True), (TimeoutError(), True), (ConnectionResetError(), True), (ValueError("x"), False),
    (KeyError("x"), False), (ZeroDivisionError(), False), (AssertionError(), False),
])
def test_no_answer_is_told_from_a_defect(error: Exception, expected: bool) -> None:
    """Only the database's silence asks the caller to come again."""
    assert gave_no_answer(error) is expected
