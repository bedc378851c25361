"""Joiners and leavers by spreadsheet: every row is answered; the valid ones are applied, or nothing, as the sender chose.

The rows go in chunks of one transaction each, with what happened to them; broken off at any point and run again, the file
goes on where it stopped. The same file for the same employer is the same deed and gives the same answer.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from itertools import islice

import msgspec

from yibao.domains.enrolment.imports import (
    ImportFile,
    ImportRow,
    add_file,
    add_rows,
    close_file,
    find_file,
    list_rows,
    rows_done,
    take_file,
)
from yibao.domains.enrolment.model import Employer
from yibao.infra.database import Connection, Database
from yibao.infra.digest import sm3
from yibao.kernel.actor import Actor
from yibao.kernel.business_time import business_date
from yibao.kernel.ids import Ids
from yibao.kernel.refusal import Fault, Refusal, refuse
from yibao.usecases.enrolment.add_member import VERB, wish_of
from yibao.usecases.enrolment.commands import AddMember, ImportMembers, RemoveMember
from yibao.usecases.enrolment.finding import find_active_employer
from yibao.usecases.enrolment.joining import Begun, begin_relations
from yibao.usecases.enrolment.leaving_many import end_many
from yibao.usecases.enrolment.member_sheet import COLUMNS, MemberSheet, Row, open_member_sheet
from yibao.usecases.settlement.shelf import PolicyShelf
from yibao.usecases.trail import write_trail

CHUNK = 500
SAID = {"applied": "已办理", "refused": "未办理", "held": "未办理（同表有错误，整表未办理）"}


class Imported(msgspec.Struct, frozen=True):
    """What became of a file; ``content`` is the file as it was sent, with what happened to each row.

    Attributes:
        state: ``done``, or ``refused``: a row has a fault and nothing was to be applied then.
        held: rows without a fault in a file that was not applied.
    """

    import_id: str
    state: str
    rows: int
    applied: int
    refused: int
    held: int
    content: bytes
    digest: bytes


class _Faulty(Exception):
    """Rolls back a file that is to be applied whole or not at all; carries what happened to its rows."""

    def __init__(self, rows: list[ImportRow]) -> None:
        super().__init__()
        self.rows = rows


async def import_members(
    database: Database, command: ImportMembers, *, actor: Actor, now: datetime, ids: Ids, shelf: PolicyShelf,
    progress: Callable[[int, int], None] | None = None, chunk: int = CHUNK,
) -> Imported | Refusal:
    """Apply a spreadsheet of joiners or leavers.

    Args:
        progress: told after each chunk how many rows are done, of how many.
    """
    if command.kind not in COLUMNS:
        return refuse("IMPORT_KIND_UNKNOWN", "须为joiners（增员）或leavers（减员）", field="kind", received=command.kind,
                      remedy="请更正")
    sheet = open_member_sheet(command.content, kind=command.kind, emp_no=command.emp_no)
    if isinstance(sheet, Refusal):
        return sheet
    async with database.transaction(regions=actor.regions) as tx:
        employer = await find_active_employer(tx, command.emp_no, actor=actor)
        if isinstance(employer, Refusal):
            return employer
        file = _file(command, sheet, employer, actor=actor, now=now)
        await add_file(tx, file)
        known = await find_file(tx, file.import_id)
    assert known is not None, "it was written just now"
    if known.state == "open":
        work = _Work(database, sheet, known, employer, actor=actor, now=now, ids=ids, shelf=shelf, progress=progress)
        await (work.apply_valid(chunk) if command.only_valid else work.apply_all(chunk))
    return await _answer(database, sheet, file.import_id, regions=actor.regions)


class _Work:
    """One file being applied."""

    def __init__(
        self, database: Database, sheet: MemberSheet, file: ImportFile, employer: Employer, *, actor: Actor, now: datetime,
        ids: Ids, shelf: PolicyShelf, progress: Callable[[int, int], None] | None,
    ) -> None:
        self._database, self._sheet, self._file, self._employer = database, sheet, file, employer
        self._actor, self._now, self._ids, self._shelf, self._progress = actor, now, ids, shelf, progress
        self._seen: set[str] = set()

    async def apply_valid(self, chunk: int) -> None:
        """Apply the valid rows, a chunk to a transaction; rows done before are left out."""
        count = 0
        for rows in _chunks(self._sheet.rows(), chunk):
            async with self._database.transaction(regions=self._actor.regions) as tx:
                await take_file(tx, self._file.import_id)
                done = await rows_done(tx, self._file.import_id, first=rows[0].number, last=rows[-1].number)
                answers = await self._apply(tx, [row for row in rows if row.number not in done])
                await self._keep(tx, answers)
            self._note(rows)
            count += len(rows)
            self._tell(count)
        await self._close("done")

    async def apply_all(self, chunk: int) -> None:
        """Apply every row in one transaction, or none when one has a fault; the faults of all rows are told either way."""
        try:
            async with self._database.transaction(regions=self._actor.regions) as tx:
                await take_file(tx, self._file.import_id)
                answers: list[ImportRow] = []
                for rows in _chunks(self._sheet.rows(), chunk):
                    answers += await self._apply(tx, rows)
                    self._note(rows)
                    self._tell(len(answers))
                if any(row.state == "refused" for row in answers):
                    raise _Faulty(answers)
                await self._keep(tx, answers)
                await close_file(tx, self._file.import_id, state="done", at=self._now)
        except _Faulty as faulty:
            held = [
                row if row.state == "refused" else ImportRow(row.row_no, "held", None, SAID["held"]) for row in faulty.rows
            ]
            async with self._database.transaction(regions=self._actor.regions) as tx:
                await take_file(tx, self._file.import_id)
                file = await find_file(tx, self._file.import_id)
                if file is not None and file.state == "open":
                    await self._keep(tx, held)
                    await close_file(tx, self._file.import_id, state="refused", at=self._now)

    async def _apply(self, tx: Connection, rows: Sequence[Row]) -> list[ImportRow]:
        """Apply rows and return what happened to each; those of the same person in an earlier chunk are refused."""
        answers = {row.number: _refused(row.number, row.faults) for row in rows if row.command is None}
        joiners, leavers = [], []
        for row in rows:
            if row.command is not None and row.command.certno in self._seen:
                fault = Fault("TWICE_IN_FILE", "同一证件在本表中出现多次", "证件号码", remedy="请只保留一行")
                answers[row.number] = _refused(row.number, (fault,))
            elif isinstance(row.command, AddMember):
                joiners.append((row.number, row.command))
            elif isinstance(row.command, RemoveMember):
                leavers.append((row.number, row.command))
        answers |= await self._join(tx, joiners) if joiners else {}
        if leavers:
            told = await end_many(tx, [c for _, c in leavers], employer=self._employer, actor=self._actor, now=self._now,
                                  ids=self._ids, shelf=self._shelf)
            answers |= {
                n: _refused(n, a) if isinstance(a, tuple) else ImportRow(n, "applied", a.psn_no, f"自{a.paused_on}起停保")
                for (n, _), a in zip(leavers, told, strict=True)
            }
        done = [answers[row.number] for row in rows]
        if any(row.state == "applied" for row in done):
            await write_trail(
                tx, self._actor, verb=f"import_{self._file.kind}", object_id=self._file.import_id, admdvs=self._file.admdvs,
                state=done, now=self._now, ids=self._ids,
            )
        return done

    async def _join(self, tx: Connection, joiners: Sequence[tuple[int, AddMember]]) -> dict[int, ImportRow]:
        today, wishes, answers = business_date(self._now), [], dict[int, ImportRow]()
        numbers = []
        for number, command in joiners:
            wish = wish_of(command, self._employer, today=today)
            if isinstance(wish, Refusal):
                answers[number] = _refused(number, wish.faults)
            else:
                numbers.append(number)
                wishes.append(wish)
        told = await begin_relations(tx, wishes, admdvs=self._file.admdvs, verb=VERB, actor=self._actor, now=self._now,
                                     ids=self._ids, shelf=self._shelf)
        for number, answer in zip(numbers, told, strict=True):
            if isinstance(answer, Begun):
                said = "；".join((f"自{answer.insured_on}起参保", *answer.notes))
                answers[number] = ImportRow(number, "applied", answer.psn_no, said)
            else:
                answers[number] = _refused(number, answer.faults)
        return answers

    async def _keep(self, tx: Connection, rows: Sequence[ImportRow]) -> None:
        await add_rows(tx, self._file.import_id, self._file.admdvs, rows)

    async def _close(self, state: str) -> None:
        async with self._database.transaction(regions=self._actor.regions) as tx:
            await close_file(tx, self._file.import_id, state=state, at=self._now)

    def _note(self, rows: Sequence[Row]) -> None:
        self._seen.update(row.command.certno for row in rows if row.command is not None)

    def _tell(self, count: int) -> None:
        if self._progress is not None:
            self._progress(count, self._file.rows)


def _file(
    command: ImportMembers, sheet: MemberSheet, employer: Employer, *, actor: Actor, now: datetime
) -> ImportFile:
    named = "|".join((command.kind, command.emp_no, str(command.only_valid), sm3(command.content).hex()))
    return ImportFile(
        import_id=sm3(named.encode()).hex()[:32], admdvs=employer.admdvs, kind=command.kind, emp_no=command.emp_no,
        file_name=command.file_name, only_valid=command.only_valid, rows=sheet.count(), state="open", applied=0, refused=0,
        content=command.content, made_by=actor.login, made_at=now,
    )


def _chunks(rows: Iterator[Row], size: int) -> Iterator[list[Row]]:
    while part := list(islice(rows, size)):
        yield part


def _refused(number: int, faults: Sequence[Fault]) -> ImportRow:
    return ImportRow(number, "refused", None, Refusal(tuple(faults)).sentence())


async def _answer(database: Database, sheet: MemberSheet, import_id: str, *, regions: tuple[str, ...]) -> Imported:
    async with database.transaction(regions=regions) as tx:
        file, rows = await find_file(tx, import_id), await list_rows(tx, import_id)
    assert file is not None, "the file was taken"
    content = sheet.with_results({row.row_no: (SAID[row.state], row.said) for row in rows})
    held = sum(row.state == "held" for row in rows)
    return Imported(import_id, file.state, file.rows, file.applied, file.refused, held, content, sm3(content))
