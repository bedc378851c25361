"""``yibao certificate``: issue, print, revoke, and check as a stranger would."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Group, RenderableType
from rich.markup import escape

from yibao.entrypoints.cli.agency_deeds import run_as
from yibao.entrypoints.cli.deeds import run_deed
from yibao.entrypoints.cli.output import REFUSED, USAGE, JsonFlag, show, stop, table_of
from yibao.kernel.clock import SystemClock
from yibao.usecases.certificates.check_certificate import GENUINE, Checked, check_certificate
from yibao.usecases.certificates.commands import CheckCertificate, IssueCertificate, RevokeCertificate
from yibao.usecases.certificates.issue_certificate import Issued, issue_certificate, revoke_certificate
from yibao.usecases.certificates.print_certificate import print_certificate

OperatorName = Annotated[str, typer.Option("--operator", help="经办人，记入审计")]
Number = Annotated[str, typer.Argument(metavar="CERTIFICATE_NO", help="凭证编号")]
app = typer.Typer(name="certificate", no_args_is_help=True, help="参保凭证与待遇证明：出具、打印、作废、查验")


@app.command("issue", help="出具参保凭证或待遇证明")
def issue(
    person: Annotated[str, typer.Argument(metavar="PSN_NO", help="人员编号")], operator: OperatorName,
    kind: Annotated[str, typer.Option("--kind", help="enrolment 参保凭证、benefit 待遇证明")] = "enrolment",
    purpose: Annotated[str, typer.Option("--purpose", help="用途")] = "",
    out: Annotated[Path | None, typer.Option("--out", help="把 PDF 写到这里")] = None, as_json: JsonFlag = False,
) -> None:
    """Issue a certificate from the facts of today."""
    command = IssueCertificate(psn_no=person, certificate=kind, purpose=purpose)
    done: Issued = run_as(operator, lambda tx, m: issue_certificate(
        tx, command, actor=m.actor, now=m.now, ids=m.ids), as_json=as_json)
    if out is not None:
        _write(done.certificate_no, operator, out, as_json=as_json)
    show({"ok": True, "certificate": done}, as_json=as_json,
         render=lambda: f"{escape(done.statement)}\n校验码：{done.code}")


@app.command("print", help="打印凭证，每次字节相同")
def print_one(
    number: Number, operator: OperatorName, out: Annotated[Path, typer.Option("--out", help="把 PDF 写到这里")],
    as_json: JsonFlag = False,
) -> None:
    """Print a certificate."""
    size = _write(number, operator, out, as_json=as_json)
    show({"ok": True, "file": str(out), "bytes": size}, as_json=as_json, render=lambda: f"✓ {out}（{size} 字节）")


@app.command("revoke", help="作废凭证")
def revoke(
    number: Number, operator: OperatorName, reason: Annotated[str, typer.Option("--reason", help="理由")],
    as_json: JsonFlag = False,
) -> None:
    """Revoke a certificate."""
    command = RevokeCertificate(certificate_no=number, reason=reason)
    done: Issued = run_as(operator, lambda tx, m: revoke_certificate(
        tx, command, actor=m.actor, now=m.now, ids=m.ids), as_json=as_json)
    show({"ok": True, "certificate": done}, as_json=as_json, render=lambda: f"✓ {done.certificate_no} 已作废")


@app.command("check", help="查验凭证；不一致的退出码为 1")
def check(
    number: Number, code: Annotated[str, typer.Argument(metavar="CODE", help="校验码")],
    text: Annotated[Path | None, typer.Option("--text", help="凭证上的文字")] = None,
    file: Annotated[Path | None, typer.Option("--file", help="PDF 文件")] = None, as_json: JsonFlag = False,
) -> None:
    """Check a certificate as a stranger would."""
    for path in (text, file):
        if path is not None and not path.is_file():
            stop(USAGE, kind="usage", message=f"没有文件 {path}", as_json=as_json)
    command = CheckCertificate(certificate_no=number, code=code, statement=text.read_text("utf-8") if text else "",
                               file=file.read_bytes() if file else b"")
    now = SystemClock().now()
    seen: Checked = run_deed(lambda tx: check_certificate(tx, command, now=now), as_json=as_json)
    show({"ok": seen.outcome == GENUINE, "checked": seen}, as_json=as_json, render=lambda: _checked(seen))
    if seen.outcome != GENUINE:
        raise typer.Exit(REFUSED)


def _write(number: str, operator: str, out: Path, *, as_json: bool) -> int:
    pdf: bytes = run_as(operator, lambda tx, m: print_certificate(tx, number, actor=m.actor), as_json=as_json)
    try:
        return out.write_bytes(pdf)
    except OSError as error:
        stop(USAGE, kind="not_written", message=f"未能写入 {out}（{error.strerror}），请用 yibao certificate print 取得",
             as_json=as_json)


def _checked(seen: Checked) -> RenderableType:
    table = table_of("行", "出示的", "保存的")
    for d in seen.differences:
        table.add_row(str(d.line), escape(d.shown), escape(d.kept))
    return Group(seen.says, escape(seen.statement), *([table] if seen.differences else []))
