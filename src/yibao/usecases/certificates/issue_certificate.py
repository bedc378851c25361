"""Issue a certificate from the facts of today, and revoke one."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import msgspec

from yibao.domains.certificates.model import (
    BENEFIT,
    ENROLMENT,
    TITLES,
    Certificate,
    Content,
    Period,
    Standing,
)
from yibao.domains.certificates.operations import add_certificate, revoke
from yibao.domains.certificates.queries import (
    count_elsewhere,
    find_balance,
    find_certificate,
    find_person,
    list_periods,
)
from yibao.domains.certificates.rules import code_of, statement_of
from yibao.domains.entitlement.queries import find_standing
from yibao.domains.services.items import service_book
from yibao.infra.database import Connection
from yibao.infra.digest import sm3
from yibao.kernel.actor import Actor
from yibao.kernel.business_time import business_date
from yibao.kernel.ids import Ids
from yibao.kernel.refusal import Refusal, refuse
from yibao.usecases.certificates.commands import IssueCertificate, RevokeCertificate
from yibao.usecases.certificates.print_certificate import draw
from yibao.usecases.entitlement.standing_faults import standing_faults
from yibao.usecases.trail import write_trail

_PURPOSE_MOST = 60


class Issued(msgspec.Struct, frozen=True):
    """A certificate as its holder gets it."""

    psn_no: str
    certificate_no: str
    kind: str
    title: str
    code: str
    digest: str
    statement: str
    issued_at: datetime
    valid_to: date


def issued_of(certificate: Certificate) -> Issued:
    """Return a kept certificate as its holder gets it."""
    return Issued(
        certificate.psn_no, certificate.certificate_no, certificate.kind, TITLES[certificate.kind], certificate.code,
        certificate.digest.hex(), certificate.statement, certificate.issued_at, certificate.valid_to,
    )


async def issue_certificate(
    tx: Connection, command: IssueCertificate, *, actor: Actor, now: datetime, ids: Ids, application_id: str = ""
) -> Issued | Refusal:
    """Issue a certificate; what it says is kept with its SM3 digest and a code made of it, and printed at once."""
    if command.certificate not in TITLES:
        return refuse("CERTIFICATE_KIND", "没有这种凭证", field="certificate", received=command.certificate[:40],
                      remedy=f"请选择{ENROLMENT}（参保凭证）或{BENEFIT}（待遇证明）")
    if len(command.purpose) > _PURPOSE_MOST or not command.purpose.isprintable():
        return refuse("PURPOSE_INVALID", "用途过长或含有不可打印的字符", field="purpose", received=command.purpose[:40],
                      remedy=f"请用不超过{_PURPOSE_MOST}个字说明用途")
    person = await find_person(tx, command.psn_no)
    if person is None or person["admdvs"] not in actor.regions:
        return refuse("PERSON_NOT_FOUND", "没有这个参保人", field="psn_no", received=command.psn_no, remedy="请核对人员编号")
    today, admdvs = business_date(now), person["admdvs"]
    periods = await list_periods(tx, command.psn_no, admdvs)
    if not periods:
        return refuse("NEVER_ENROLLED", "在本统筹区没有参保记录", field="psn_no", received=command.psn_no,
                      remedy="请向参保地申请")
    standings = await _standings(tx, command.psn_no, periods, today) if command.certificate == BENEFIT else []
    content = Content(
        command.psn_no, person["name"], person["cert_type"], person["certno"], admdvs, person["region"], today, periods,
        await count_elsewhere(tx, command.psn_no, admdvs), standings, await find_balance(tx, command.psn_no), command.purpose,
    )
    number = ids.new(now)
    statement = statement_of(command.certificate, number, content)
    digest = sm3(f"{number}\n{statement}".encode())
    # What it states is of its day, and dues go on: it is current for some days only.
    valid_to = today + timedelta(days=service_book().certificate_days)
    certificate = Certificate(
        command.psn_no, number, admdvs, command.certificate, now, valid_to, msgspec.json.encode(content).decode(),
        statement, digest, code_of(digest), application_id, actor.login, actor.channel,
    )
    pdf = draw(certificate)
    if isinstance(pdf, bytes):  # without the printing part it is issued all the same, and printed elsewhere
        certificate = msgspec.structs.replace(certificate, pdf=pdf, pdf_digest=sm3(pdf))
    await add_certificate(tx, certificate)
    await write_trail(tx, actor, verb="issue_certificate", object_id=number, admdvs=admdvs, state=digest.hex(), now=now,
                      ids=ids)
    return issued_of(certificate)


DIED_ON = "select died_on from people.person where psn_no = $1"


async def _standings(tx: Connection, psn_no: str, periods: list[Period], on: date) -> list[Standing]:
    standings, died_on = [], await tx.fetchval(DIED_ON, psn_no)
    for insutype in sorted({p.insutype for p in periods}):
        row = await find_standing(tx, psn_no, insutype=insutype, on=on)
        faults = standing_faults(
            insutype=insutype, status=row["status"] if row else None, status_reason=row["status_reason"] if row else None,
            benefit_from=row["benefit_from"] if row else None, benefit_to=row["benefit_to"] if row else None,
            died_on=died_on, on=on,
        )
        until = row["benefit_to"] if row else None
        standings.append(Standing(insutype, not faults, "；".join(f.reason for f in faults), until))
    return standings


async def revoke_certificate(
    tx: Connection, command: RevokeCertificate, *, actor: Actor, now: datetime, ids: Ids
) -> Issued | Refusal:
    """Revoke a certificate: whoever checks it from now on is told that it no longer holds. Twice has no further effect."""
    certificate = await find_certificate(tx, command.certificate_no)
    if certificate is None or certificate.admdvs not in actor.regions:
        return refuse("CERTIFICATE_NOT_FOUND", "没有这份凭证", field="certificate_no", received=command.certificate_no[:40],
                      remedy="请核对编号")
    if not command.reason.strip():
        return refuse("REASON_MISSING", "作废须写明理由", field="reason", remedy="请填写理由")
    if certificate.revoked_at is None:
        await revoke(tx, certificate, at=now, why=command.reason.strip())
        await write_trail(tx, actor, verb="revoke_certificate", object_id=certificate.certificate_no,
                          admdvs=certificate.admdvs, state=command.reason, now=now, ids=ids)
    return issued_of(certificate)
