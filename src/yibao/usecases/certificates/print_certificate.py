"""Print a certificate as PDF: the kept lines, nothing else; printed once, and the same bytes ever after."""

from __future__ import annotations

import json
from datetime import datetime

from yibao.domains.certificates.model import Certificate
from yibao.domains.certificates.operations import keep_pdf
from yibao.domains.certificates.queries import find_certificate
from yibao.domains.certificates.rules import lines_of
from yibao.infra.database import Connection
from yibao.infra.digest import sm3
from yibao.kernel.actor import Actor
from yibao.kernel.business_time import SHANGHAI
from yibao.kernel.refusal import Refusal, refuse

_FONTS = ("WenQuanYi Micro Hei", "Noto Sans CJK SC", "Noto Serif CJK SC", "Source Han Sans SC")
_PAGE = """
#let facts = json(bytes(sys.inputs.facts))
#set document(title: facts.title, date: datetime(year: facts.year, month: facts.month, day: facts.day))
#set page(paper: "a4", margin: 2.5cm)
#set text(font: facts.fonts, size: 11pt, lang: "zh")
#set par(leading: 0.9em)
#align(center, text(size: 18pt, weight: "bold", facts.title))
#v(1em)
#line(length: 100%, stroke: 0.5pt)
#v(0.5em)
#for row in facts.lines [#row \\ ]
#v(1em)
#line(length: 100%, stroke: 0.5pt)
#text(size: 9.5pt)[编号：#facts.number #h(2em) 校验码：#facts.code \\ 查验：#facts.address \\ 内容摘要（SM3）：#facts.digest \\
#facts.note]
"""
CHECK_PATH = "/api/v1/certificates/check"


async def print_certificate(
    tx: Connection, certificate_no: str, *, actor: Actor
) -> bytes | Refusal:
    """Return a certificate as PDF; the first print is kept with its digest and given again byte for byte."""
    certificate = await find_certificate(tx, certificate_no)
    if certificate is None or certificate.admdvs not in actor.regions:
        return refuse("CERTIFICATE_NOT_FOUND", "没有这份凭证", field="certificate_no", received=certificate_no[:40],
                      remedy="请核对编号")
    if certificate.revoked_at is not None:
        return refuse("CERTIFICATE_REVOKED", "凭证已作废，不能再打印", field="certificate_no", received=certificate_no,
                      remedy="请重新开具")
    if certificate.pdf is not None:
        return certificate.pdf
    pdf = draw(certificate)
    if isinstance(pdf, bytes):
        await keep_pdf(tx, certificate, pdf, sm3(pdf))
        kept = await find_certificate(tx, certificate_no)
        assert kept is not None
        assert kept.pdf is not None
        return kept.pdf
    return pdf


def draw(certificate: Certificate, *, address: str = CHECK_PATH) -> bytes | Refusal:
    """Return the page; refused where the printing part of the platform is not installed.

    Args:
        address: where a stranger checks it; printed.
    """
    try:
        import typst
    except ImportError:
        return refuse("PRINTING_NOT_INSTALLED", "本机没有安装打印组件", field="certificate_no",
                      remedy="请管理员安装 yibao[print]；凭证内容与校验码仍可查询")
    title, *lines = lines_of(certificate.statement)
    issued: datetime = certificate.issued_at.astimezone(SHANGHAI)
    facts = {
        "title": title, "lines": lines, "number": certificate.certificate_no, "code": certificate.code, "address": address,
        "digest": certificate.digest.hex(), "fonts": _FONTS, "year": issued.year, "month": issued.month, "day": issued.day,
        "note": f"有效期至{certificate.valid_to}（不含当日）。任何改动都可在查验时发现。",
    }
    page: bytes = typst.compile(
        _PAGE.encode(), format="pdf", sys_inputs={"facts": json.dumps(facts, ensure_ascii=False)},
        timestamp=int(issued.timestamp()),
    )
    return page
