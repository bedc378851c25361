"""Let a stranger check a certificate: number and code, the printed text, or the file; one altered sign is noticed."""

from __future__ import annotations

from datetime import date, datetime

import msgspec

from yibao.domains.certificates.queries import find_checked
from yibao.domains.certificates.rules import (
    Difference,
    differences,
    is_current,
    lines_of,
    masked_line,
    read_code,
)
from yibao.infra.database import Connection
from yibao.infra.digest import sm3
from yibao.kernel.business_time import business_date
from yibao.kernel.refusal import Refusal, refuse
from yibao.usecases.certificates.commands import CheckCertificate

GENUINE, ALTERED, REVOKED, EXPIRED = "genuine", "altered", "revoked", "expired"
OUTCOMES = {
    GENUINE: "与经办机构保存的凭证一致", ALTERED: "与经办机构保存的凭证不一致，已被改动", REVOKED: "凭证已作废",
    EXPIRED: "凭证属实，但已过有效期，请要求重新开具",
}
"""What a check may say, and how."""


class Checked(msgspec.Struct, frozen=True):
    """What a check says.

    Attributes:
        statement: the kept lines, name and numbers masked, to compare with the paper.
        differences: lines of the shown text that are not the kept ones.
        compared: what was compared besides number and code: ``statement``, ``file``.
    """

    outcome: str
    says: str
    kind: str
    issued_at: datetime
    valid_to: date
    statement: str
    differences: list[Difference]
    compared: list[str]


async def check_certificate(tx: Connection, command: CheckCertificate, *, now: datetime) -> Checked | Refusal:
    """Check a certificate by number and code, and whatever else is shown of it.

    Who does not hold both is told nothing: not even whether the number exists. A code that was mistyped is named as such.
    """
    code = read_code(command.code)
    if code is None:
        return refuse("CODE_MISTYPED", "校验码有误：位数、字符或校验位不对", field="code", received=command.code[:40],
                      remedy="请对照凭证重新输入")
    row = await find_checked(tx, command.certificate_no.strip(), code)
    if row is None:
        return refuse("CERTIFICATE_NOT_FOUND", "没有编号与校验码相符的凭证", field="certificate_no",
                      received=command.certificate_no[:40], remedy="请对照凭证重新输入；仍不符的，凭证不是经办机构出具")
    found: list[Difference] = []
    compared, is_altered = [], False
    if command.statement:
        compared.append("statement")
        found = differences(command.statement, row["statement"])
        is_altered = bool(found)
    if command.file:
        compared.append("file")
        is_altered = is_altered or sm3(command.file) != row["pdf_digest"]
    outcome = GENUINE if is_current(row["valid_to"], business_date(now)) else EXPIRED
    if row["revoked_at"] is not None:
        outcome = REVOKED
    if is_altered:
        outcome = ALTERED
    says = OUTCOMES[outcome] + (f"：{row['revoked_why']}" if outcome == REVOKED else "")
    kept = "\n".join(masked_line(line) for line in lines_of(row["statement"]))
    return Checked(outcome, says, row["kind"], row["issued_at"], row["valid_to"], kept, found, compared)
