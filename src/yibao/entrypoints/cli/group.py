"""``yibao group FILE.csv``: the payment group of every case in a file, and why."""

from __future__ import annotations

import io
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer

from yibao.entrypoints.cli.output import USAGE, JsonFlag, stop, stop_refused, to_json
from yibao.kernel.refusal import Refusal
from yibao.policy.grouping.grouper import GROUPED
from yibao.policy.grouping.rows import COLUMNS
from yibao.policy.grouping.scheme import Scheme
from yibao.usecases.grouping.group_file import CaseAnswer, decode_file, group_rows
from yibao.usecases.grouping.open_scheme import open_scheme

CaseFile = Annotated[
    Path, typer.Argument(metavar="FILE.csv", help=f"病例文件，列：{','.join(COLUMNS)}；诊断与手术以 | 分隔，主要的在前"),
]


def group(file: CaseFile, as_json: JsonFlag = False) -> None:
    """Group every case of a file; ungrouped ones are answered with 0000 and the reason."""
    try:
        content = file.read_bytes()
    except OSError as error:
        stop(USAGE, kind="file", message=f"读不了 {file}：{error.strerror}", as_json=as_json)
    scheme = open_scheme()
    text = decode_file(content)
    if isinstance(text, Refusal):
        stop_refused(text, as_json=as_json)
    answers = group_rows(io.StringIO(text, newline=""), scheme)
    if isinstance(answers, Refusal):
        stop_refused(answers, as_json=as_json)
    if as_json:
        cases = tuple(answers)
        grouped = sum(answer.state == GROUPED for answer in cases)
        sys.stdout.write(to_json({
            "ok": True, "scheme": scheme.code, "scheme_name": scheme.name, "count": len(cases),
            "grouped": grouped, "ungrouped": len(cases) - grouped, "cases": cases,
        }) + "\n")
    else:
        _print(answers, scheme)


def _print(answers: Iterator[CaseAnswer], scheme: Scheme) -> None:
    """Print each case as it is answered, plainly: a file may hold a hundred thousand of them."""
    count = grouped = 0
    for answer in answers:
        count += 1
        grouped += answer.state == GROUPED
        name = answer.name or "未入组"
        print(f"{answer.case}  {answer.mdc}  {answer.adrg}  {answer.drg}  {name}")
        print("\n".join(f"   {sentence}" for sentence in answer.why))
    print(f"{scheme.name}：{count} 例，入组 {grouped} 例，未入组 {count - grouped} 例")
