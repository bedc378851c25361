"""The agency's desk and its bank: drives ``yibao clearing`` as a person at a terminal would, and pays or fails transfers.

The bank reads and writes the files by docs/clearing.md alone.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import msgspec
from typer.testing import CliRunner

from yibao.entrypoints.cli.main import app

FIRST, SECOND = "王初审", "李复核"


class Denied(Exception):
    """The command refused; the text is its answer."""


class Desk:
    """The agency's terminal on one database."""

    def __init__(self, database_url: str) -> None:
        self._env = {"YIBAO_DATABASE_URL": database_url}

    def run(self, *words: str) -> dict[str, Any]:
        """Run a verb of ``yibao clearing`` and return its JSON; raises ``Denied`` with the answer when it refuses."""
        result = CliRunner().invoke(app, ["clearing", *words, "--json"], env={**os.environ, **self._env})
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        answer: dict[str, Any] = json.loads(result.stdout)
        if result.exit_code != 0:
            raise Denied(result.stdout)
        assert answer["ok"] is True
        return answer

    def say(self, *words: str) -> str:
        """Run a verb as a person does, and return what the terminal shows."""
        result = CliRunner().invoke(app, ["clearing", *words], env={**os.environ, **self._env, "COLUMNS": "200"})
        assert result.exit_code == 0, result.output
        return result.stdout

    def decide(self, claim_id: str) -> dict[str, Any]:
        """Review and approve a claim by two people."""
        self.run("review", claim_id, "--operator", FIRST)
        return self.run("approve", claim_id, "--operator", SECOND)

    def payee(self, code: str) -> None:
        """Set the bank account of an institution."""
        self.run("payee", code, "--operator", FIRST, "--checker", SECOND, "--bank", "示例银行", "--name", f"机构{code}",
                 "--account", f"6200{code[-8:]}")

    def pay(self, region: str, directory: Path) -> tuple[dict[str, Any], bytes]:
        """Order the payments of a region and return the answer with the file for the bank."""
        path = directory / "payment.txt"
        path.unlink(missing_ok=True)
        answer = self.run("pay", region, "--operator", FIRST, "--out", str(path))
        return answer, path.read_bytes() if path.exists() else b""

    def take(self, content: bytes, directory: Path) -> dict[str, Any]:
        """Take the bank's return file."""
        path = directory / "return.txt"
        path.write_bytes(content)
        returned: dict[str, Any] = self.run("return", str(path), "--operator", FIRST)["returned"]
        return returned

    def owed(self, code: str) -> int:
        """Return what the ledger owes an institution, cents."""
        return int(self.run("balance", code)["payable_fen"])


class Order(msgspec.Struct, frozen=True):
    """A payment file as the bank reads it: amounts in cents."""

    file_no: str
    region: str
    day: str
    amounts: dict[str, int]


def read_order(content: bytes) -> Order:
    """Read a payment file and check its count, sum and digest."""
    body, _, tail = content.rstrip(b"\n").rpartition(b"\n")
    body += b"\n"
    assert tail.decode() == "T\tsm3=" + hashlib.new("sm3", body).hexdigest()
    head, *lines = [line.split("\t") for line in body.decode().splitlines()]
    assert head[:3] == ["H", "YIBAO-PAY", "1"]
    amounts = {line[1]: round(float(line[5]) * 100) for line in lines}
    assert all(line[0] == "D" and len(line) == 7 and line[3] for line in lines)
    assert (int(head[6]), round(float(head[7]) * 100)) == (len(amounts), sum(amounts.values()))
    return Order(head[3], head[4], head[5], amounts)


def answer_of(
    order: Order, *, fails: Callable[[str], bool] = lambda _payment: False, amounts: Mapping[str, int] | None = None,
    only: Callable[[str], bool] = lambda _payment: True, count: int | None = None, total: str | None = None,
    digest: str | None = None, file_no: str | None = None,
) -> bytes:
    """Write the bank's return file; every option makes it wrong or partial in one way."""
    rows, paid = [], 0
    for payment, amount in (amounts or order.amounts).items():
        if not only(payment):
            continue
        failed = fails(payment)
        paid += 0 if failed else amount
        yuan = f"{amount // 100}.{amount % 100:02d}"
        rows.append(("D", payment, yuan, "failed" if failed else "paid", f"B{payment[-6:]}", "账号不符" if failed else ""))
    said = total or f"{paid // 100}.{paid % 100:02d}"
    told = str(len(rows) if count is None else count)
    head = ("H", "YIBAO-RETURN", "1", file_no or order.file_no, order.region, order.day, told, said)
    body = "".join("\t".join(row) + "\n" for row in (head, *rows)).encode()
    return body + f"T\tsm3={digest or hashlib.new('sm3', body).hexdigest()}\n".encode()
