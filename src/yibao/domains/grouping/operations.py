"""Writes of payment by group."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import msgspec

from yibao.domains.grouping.model import Application, Result, YearClose, YearLine
from yibao.infra.database import Connection


def _columns(names: tuple[str, ...]) -> str:
    return f"({', '.join(names)}) values ({', '.join(f'${n}' for n in range(1, len(names) + 1))})"


_RESULT = tuple(f.name for f in msgspec.structs.fields(Result))
_KEY = ("psn_no", "setl_id")
_NEW_RESULT = "insert into grouping.result"
_AGAIN = ", ".join(f"{name} = excluded.{name}" for name in _RESULT if name not in _KEY)
PUT_RESULT = f"{_NEW_RESULT} {_columns(_RESULT)} on conflict (psn_no, setl_id) do update set {_AGAIN}"
DROP_RESULTS = "delete from grouping.result where admdvs = $1 and setl_id = any($2::text[])"
_APPLICATION = tuple(f.name for f in msgspec.structs.fields(Application))
_NEW_APPLICATION = "insert into grouping.exit_application"
# Two messages at once: the second finds the first one's row, whose number is then unknown to it.
_ONE_LIVE = "on conflict (psn_no, setl_id) where state in ('filed', 'approved') do nothing returning application_id"
ADD_APPLICATION = f"{_NEW_APPLICATION} {_columns(_APPLICATION)} {_ONE_LIVE}"
TAKE_REGION = "select pg_advisory_xact_lock(hashtextextended('grouping:' || $1, 0))"
CHANGE_APPLICATION = """
update grouping.exit_application set exit_type = $2, reason = $3, detail = $4, items = $5, state = $6, changed_at = $7
where application_id = $1
"""
DECIDE_APPLICATION = """
update grouping.exit_application set state = $2, decided_at = $3, decided_by = $4, opinion = $5 where application_id = $1
"""
_CLOSE = tuple(f.name for f in msgspec.structs.fields(YearClose))
_NEW_CLOSE = "insert into grouping.year_close"
ADD_CLOSE = f"{_NEW_CLOSE} {_columns(_CLOSE)}"
_LINE = tuple(f.name for f in msgspec.structs.fields(YearLine))
_NEW_LINE = "insert into grouping.year_line"
ADD_LINE = f"{_NEW_LINE} {_columns(_LINE)}"
DROP_COMPUTED = """
update grouping.year_close set state = 'dropped' where admdvs = $1 and year = $2 and fund_type = $3 and state = 'computed'
"""
APPROVE_CLOSE = """
update grouping.year_close set state = 'approved', approved_at = $2, approved_by = $3
where close_id = $1 and state = 'computed'
"""
NAME_CLAIM = "update grouping.year_line set claim_id = $3 where close_id = $1 and fixmedins_code = $2"


def _text(value: object) -> str:
    return msgspec.json.encode(value).decode()


async def put_results(tx: Connection, results: Sequence[Result]) -> None:
    """Write results, each in place of an earlier one."""
    await tx.executemany(PUT_RESULT, [tuple(getattr(r, name) for name in _RESULT) for r in results])


async def drop_results(tx: Connection, *, admdvs: str, setl_ids: Sequence[str]) -> None:
    """Take away results whose settlement list no longer stands."""
    await tx.execute(DROP_RESULTS, admdvs, list(setl_ids))


async def take_region(tx: Connection, admdvs: str) -> None:
    """Wait for whoever groups or closes a year in this region; hold it until the transaction ends."""
    await tx.execute(TAKE_REGION, admdvs)


async def add_application(tx: Connection, application: Application) -> bool:
    """Write a new application; False if another one for the settlement was there first."""
    values = {name: getattr(application, name) for name in _APPLICATION}
    values |= {"detail": _text(application.detail), "items": _text(application.items)}
    return await tx.fetchval(ADD_APPLICATION, *values.values()) is not None


async def change_application(tx: Connection, application: Application) -> None:
    """Write what the institution may change of its application, and its state."""
    await tx.execute(
        CHANGE_APPLICATION, application.application_id, application.exit_type, application.reason,
        _text(application.detail), _text(application.items), application.state, application.changed_at,
    )


async def decide_application(
    tx: Connection, *, application_id: str, state: str, at: datetime, by: str, opinion: str
) -> None:
    """Write the agency's decision."""
    await tx.execute(DECIDE_APPLICATION, application_id, state, at, by, opinion)


async def add_close(tx: Connection, close: YearClose, lines: Sequence[YearLine]) -> None:
    """Write a computed year in place of an earlier one that nobody approved."""
    await tx.execute(DROP_COMPUTED, close.admdvs, close.year, close.fund_type)
    await tx.execute(ADD_CLOSE, *(getattr(close, name) for name in _CLOSE))
    await tx.executemany(ADD_LINE, [tuple(getattr(line, name) for name in _LINE) for line in lines])


async def approve_close(tx: Connection, *, close_id: str, at: datetime, by: str) -> None:
    """Write that somebody else approved a computed year."""
    await tx.execute(APPROVE_CLOSE, close_id, at, by)


async def name_claim(tx: Connection, *, close_id: str, fixmedins_code: str, claim_id: str) -> None:
    """Write which claim pays an institution's difference."""
    await tx.execute(NAME_CLAIM, close_id, fixmedins_code, claim_id)
