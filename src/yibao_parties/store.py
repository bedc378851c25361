"""A party's own store: one SQLite file with its messages, its papers and what it has planned."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

from yibao_parties.wire import Body, canonical

_TABLES = """
create table if not exists setting (name text primary key, value text not null);
create table if not exists incoming (no integer primary key, id text unique not null, kind text not null, body text not null,
    digest text not null, received_at text not null, answer text not null default '');
create table if not exists outgoing (no integer primary key, id text not null, kind text not null, admdvs text not null,
    body text not null, digest text not null, made_at text not null);
create table if not exists paper (kind text not null, id text not null, admdvs text not null, state text not null,
    day text not null default '', body text not null, primary key (kind, id));
create index if not exists paper_by_state on paper (kind, state, day);
create table if not exists plan (key text primary key, due_at text not null, name text not null, body text not null);
create index if not exists plan_by_time on plan (due_at, key);
"""


class Paper:
    """Something a party keeps: a bill, a payment, an account, a card."""

    def __init__(self, row: sqlite3.Row) -> None:
        self.kind: str = row["kind"]
        self.id: str = row["id"]
        self.admdvs: str = row["admdvs"]
        self.state: str = row["state"]
        self.day: str = row["day"]
        self.body: Body = json.loads(row["body"])


class Store:
    """The file of one party. ``path`` ``:memory:`` keeps nothing."""

    def __init__(self, path: Path | str) -> None:
        self._base = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        self._base.row_factory = sqlite3.Row
        self._base.execute("pragma journal_mode = wal")
        self._base.execute("pragma synchronous = full")
        self._base.executescript(_TABLES)

    def close(self) -> None:
        """Close the file."""
        self._base.close()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Do everything inside or nothing."""
        self._base.execute("begin immediate")
        try:
            yield
        except BaseException:
            self._base.execute("rollback")
            raise
        self._base.execute("commit")

    # ── settings ──

    def setting(self, name: str, default: str = "") -> str:
        """Return a setting."""
        row = self._base.execute("select value from setting where name = ?", (name,)).fetchone()
        return default if row is None else str(row["value"])

    def set(self, name: str, value: str) -> None:
        """Keep a setting."""
        self._base.execute("insert or replace into setting values (?, ?)", (name, value))

    def count(self, name: str) -> int:
        """Return the next number of a counter."""
        number = int(self.setting(f"count:{name}", "0")) + 1
        self.set(f"count:{name}", str(number))
        return number

    # ── messages ──

    def last_incoming(self) -> int:
        """Return the number of the newest message taken from the platform."""
        return int(self._base.execute("select coalesce(max(no), 0) from incoming").fetchone()[0])

    def find_incoming(self, message_id: str) -> sqlite3.Row | None:
        """Return a message taken before."""
        found: sqlite3.Row | None = self._base.execute("select * from incoming where id = ?", (message_id,)).fetchone()
        return found

    def add_incoming(self, message: Body, *, now: datetime, answer: str) -> None:
        """Keep a message of the platform; ``answer`` is what the party thought of it."""
        self._base.execute("insert into incoming values (?, ?, ?, ?, ?, ?, ?)", (
            message["no"], message["id"], message["kind"], canonical(message["body"]), message["digest"], now.isoformat(),
            answer,
        ))

    def add_outgoing(self, *, id: str, kind: str, admdvs: str, body: Body, digest: str, now: datetime) -> None:
        """Keep a message for the platform under the next number."""
        self._base.execute(
            "insert into outgoing (id, kind, admdvs, body, digest, made_at) values (?, ?, ?, ?, ?, ?)",
            (id, kind, admdvs, canonical(body), digest, now.isoformat()),
        )

    def outgoing(self, *, after: int, limit: int) -> list[Body]:
        """Return messages for the platform in order."""
        rows = self._base.execute("select * from outgoing where no > ? order by no limit ?", (after, limit))
        return [{**dict(row), "body": json.loads(row["body"])} for row in rows]

    def last_outgoing(self) -> int:
        """Return the number of the newest message for the platform."""
        return int(self._base.execute("select coalesce(max(no), 0) from outgoing").fetchone()[0])

    # ── papers ──

    def put(self, kind: str, id: str, body: Body, *, admdvs: str = "", state: str = "", day: str = "") -> None:
        """Keep a paper, in place of an earlier one of its id."""
        self._base.execute(
            "insert or replace into paper values (?, ?, ?, ?, ?, ?)", (kind, id, admdvs, state, day, canonical(body))
        )

    def find(self, kind: str, id: str) -> Paper | None:
        """Return a paper."""
        row = self._base.execute("select * from paper where kind = ? and id = ?", (kind, id)).fetchone()
        return None if row is None else Paper(row)

    def move(self, kind: str, id: str, state: str) -> None:
        """Give a paper another state."""
        self._base.execute("update paper set state = ? where kind = ? and id = ?", (state, kind, id))

    def papers(self, kind: str, *, state: str = "", admdvs: str = "", day: str = "") -> list[Paper]:
        """List papers by id; ``""`` is any."""
        rows = self._base.execute(
            "select * from paper where kind = ? and (? = '' or state = ?) and (? = '' or admdvs = ?) and (? = '' or day = ?) "
            "order by id", (kind, state, state, admdvs, admdvs, day, day),
        )
        return [Paper(row) for row in rows]

    def tally(self) -> dict[str, int]:
        """Count papers by kind and state."""
        rows = self._base.execute("select kind, state, count(*) as n from paper group by 1, 2 order by 1, 2")
        return {f"{row['kind']}:{row['state']}": row["n"] for row in rows}

    # ── plans ──

    def plan(self, key: str, name: str, body: Body, *, due_at: datetime) -> None:
        """Plan something for an instant; the same key is planned once."""
        self._base.execute("insert or ignore into plan values (?, ?, ?, ?)", (key, due_at.isoformat(), name, canonical(body)))

    def take_due(self, now: datetime) -> tuple[datetime, str, Body] | None:
        """Take the earliest plan that is due out of the book."""
        row = self._base.execute("select * from plan order by due_at, key limit 1").fetchone()
        if row is None or datetime.fromisoformat(row["due_at"]) > now:
            return None
        self._base.execute("delete from plan where key = ?", (row["key"],))
        body: dict[str, Any] = json.loads(row["body"])
        return datetime.fromisoformat(row["due_at"]), str(row["name"]), body
