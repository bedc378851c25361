"""Load a part of the catalogue from a file: all of it or nothing, with every fault named."""

from __future__ import annotations

import csv
import gzip
import io
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from importlib.resources import files
from itertools import islice
from pathlib import Path
from typing import Any

import msgspec

from yibao.domains.catalogue import operations
from yibao.domains.catalogue.model import BadRow
from yibao.domains.catalogue.parts import PARTS, Part
from yibao.domains.catalogue.reader import Reader
from yibao.infra import audit
from yibao.infra.database import Connection, Database
from yibao.infra.digest import sm3
from yibao.kernel.ids import Ids

NATION = "000000"
_BATCH = 5_000


class CatalogueFile(msgspec.Struct, frozen=True):
    """A file to load: its bytes, plain or gzip, and where they come from.

    Attributes:
        defaults: texts for columns that the file does not have (``version``, ``valid_from`` ...).
        is_new_edition: terms and ceilings that are open end where the file's row of the same item begins.
    """

    part: str
    name: str
    content: bytes
    source: str
    version: str = ""
    defaults: Mapping[str, str] = {}
    is_new_edition: bool = False


class LoadProgress(msgspec.Struct, frozen=True):
    """How far a part is: bytes of the file's text read, of how many."""

    part: str
    title: str
    rows: int
    bytes_done: int
    bytes_total: int


Progress = Callable[[LoadProgress], None]


class Loaded(msgspec.Struct, frozen=True):
    """A part was loaded; ``changed`` counts the rows that are new or differ from before."""

    part: str
    rows: int
    changed: int
    digest: str
    source: str
    version: str


class LoadRefused(msgspec.Struct, frozen=True):
    """A file was refused and nothing changed: all faults, in the order of its lines."""

    part: str
    name: str
    rows: int
    faults: tuple[BadRow, ...]

    def sentence(self) -> str:
        """Return all faults as lines of text."""
        title = PARTS[self.part].title
        head = f"{self.name}（{title}）共{self.rows}行，发现{len(self.faults)}处错误，未导入任何数据："
        return "\n".join([head, *(fault.sentence() for fault in self.faults)])


class _TakenBack(Exception):
    """Leaves the transaction so that it rolls back."""


def packaged_files() -> tuple[CatalogueFile, ...]:
    """Return the catalogue files of the package, in loading order."""
    folder = files("yibao") / "data" / "catalogues"
    listing = csv.DictReader((folder / "parts.csv").read_text(encoding="utf-8").splitlines())
    return tuple(
        CatalogueFile(
            row["part"], row["file"], (folder / row["file"]).read_bytes(), row["source"], row["version"]
        )
        for row in listing
    )


def file_from(
    path: Path, *, part: str, defaults: Mapping[str, str], is_new_edition: bool = False
) -> CatalogueFile:
    """Return a file of the disk as something to load; its name is its source."""
    version = defaults.get("version", "")
    return CatalogueFile(part, path.name, path.read_bytes(), path.name, version, defaults, is_new_edition)


class _Text:
    """The lines of a file, counted while they are read. Bytes that are not UTF-8 survive as surrogates."""

    def __init__(self, content: bytes) -> None:
        self.total = len(content)
        self.done = 0
        self._content = content

    def __iter__(self) -> Iterator[str]:
        raw = io.BytesIO(self._content)
        lines = io.TextIOWrapper(raw, encoding="utf-8", errors="surrogateescape", newline="")
        for line in lines:
            self.done += len(line.encode("utf-8", "surrogateescape"))
            yield line


def _unpacked(content: bytes) -> bytes | BadRow:
    if content[:2] != b"\x1f\x8b":
        return content
    try:
        return gzip.decompress(content)
    except (OSError, EOFError):
        return BadRow(1, "", "", "压缩文件已损坏，无法解压", "请重新生成gzip文件")


async def load_catalogue(
    database: Database, file: CatalogueFile, *, now: datetime, ids: Ids, actor: str = "cli",
    progress: Progress | None = None,
) -> Loaded | LoadRefused:
    """Load one file into its part of the catalogue, in one transaction.

    Loading the same file again changes nothing. Rows that the file does not name stay; a row ends by
    its ``valid_to``. An item of a later edition stands beside what earlier ones said of it, so that old bills keep
    their prices, in whatever order the editions are loaded. ``database`` must act as the owner of the tables.
    """
    part = PARTS[file.part]
    content = _unpacked(file.content)
    if isinstance(content, BadRow):
        return LoadRefused(file.part, file.name, 0, (content,))
    reader = Reader(part, file.defaults)
    try:
        async with database.transaction() as tx:
            await _stage_rows(tx, part, reader, _Text(content), progress)
            faults = [*reader.faults, *await operations.find_unknown_items(tx, part)]
            changed = await operations.merge(tx, part, is_new_edition=file.is_new_edition)
            faults += await operations.find_overlaps(tx, part)
            if faults:
                raise _TakenBack
            loaded = Loaded(file.part, reader.rows, changed, sm3(content).hex(), file.source, file.version)
            await _record(tx, loaded, now=now, ids=ids, actor=actor)
            return loaded
    except _TakenBack:
        faults.sort(key=lambda fault: (fault.line, fault.column))
        return LoadRefused(file.part, file.name, reader.rows, tuple(faults))


async def load_all(
    database: Database, *, now: datetime, ids: Ids, actor: str = "cli", progress: Progress | None = None
) -> tuple[Loaded, ...]:
    """Load every packaged file: items, the regions' terms and price limits, diagnoses and the other lists."""
    loaded = []
    for file in packaged_files():
        result = await load_catalogue(database, file, now=now, ids=ids, actor=actor, progress=progress)
        if isinstance(result, LoadRefused):
            raise AssertionError(f"a packaged catalogue file is faulty: {result.sentence()}")
        loaded.append(result)
    return tuple(loaded)


async def _stage_rows(
    tx: Connection, part: Part, reader: Reader, text: _Text, progress: Progress | None
) -> None:
    await operations.stage(tx, part)
    records = reader.read(text)
    while True:
        batch: list[tuple[Any, ...]] = list(islice(records, _BATCH))
        if batch:
            await operations.copy_staged(tx, part, batch)
        if progress is not None:
            progress(LoadProgress(part.name, part.title, reader.rows, text.done, text.total))
        if len(batch) < _BATCH:
            return


async def _record(tx: Connection, loaded: Loaded, *, now: datetime, ids: Ids, actor: str) -> None:
    await operations.record_loaded(
        tx, part=loaded.part, rows=loaded.rows, digest=loaded.digest, source=loaded.source,
        version=loaded.version, at=now,
    )
    if loaded.changed:
        await operations.record_edition(
            tx, part=loaded.part, rows=loaded.rows, changed=loaded.changed, digest=loaded.digest, source=loaded.source,
            version=loaded.version, at=now,
        )
        await audit.write(
            tx, entry_id=ids.new(now), at=now, actor=actor, sender="yibao", channel="cli",
            verb="load_catalogue", object_id=loaded.part, admdvs=NATION,
            digest=bytes.fromhex(loaded.digest), rule=loaded.version,
        )
