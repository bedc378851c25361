"""What an agency does with filings by their number: list them, approve or refuse, cancel."""

from __future__ import annotations

from datetime import datetime

import asyncpg
import msgspec

from yibao.domains.applications import queries
from yibao.domains.applications.model import ChronicFiling
from yibao.infra import audit
from yibao.infra.database import Connection
from yibao.infra.digest import sm3
from yibao.kernel.ids import Ids
from yibao.kernel.refusal import Refusal, refuse
from yibao.usecases.filings.file_choice import end_choice
from yibao.usecases.filings.file_chronic import cancel_chronic, decide_chronic
from yibao.usecases.filings.file_injury import cancel_injury
from yibao.usecases.filings.file_maternity import cancel_maternity
from yibao.usecases.filings.file_referral import cancel_referral
from yibao.usecases.filings.insured import Cancelling, in_use, not_found
from yibao.usecases.filings.words import words

KINDS = {"chronic": "慢特病认定", "referral": "转诊", "choice": "选点", "injury": "伤害", "maternity": "生育登记"}
MOST = 1_000
"""Filings shown at once."""


async def list_filings(
    tx: Connection, *, kind: str = "", state: str = "", psn_no: str = "", admdvs: str = ""
) -> list[asyncpg.Record]:
    """Return filings of every kind, the oldest first, at most ``MOST``; ``""`` selects all."""
    return await queries.list_filings(tx, kind=kind, state=state, psn_no=psn_no, admdvs=admdvs, most=MOST)


async def decide_filing(
    tx: Connection, *, filing_id: str, is_approved: bool, operator: str, reason: str, ids: Ids, now: datetime,
    channel: str,
) -> ChronicFiling | Refusal:
    """Approve or refuse a filing that waits for the agency: the recognition of a chronic disease."""
    found = await queries.find_filing(tx, filing_id)
    if found is None:
        return _unknown(filing_id)
    if found["kind"] != "chronic":
        return refuse("FILING_NEEDS_NO_DECISION", f"{KINDS[found['kind']]}备案不需审核", field="filing_id",
                      received=filing_id, remedy="只有慢特病认定需要审核")
    decided = await decide_chronic(
        tx, psn_no=found["psn_no"], filing_id=filing_id, is_approved=is_approved, by=operator, reason=reason, now=now
    )
    if isinstance(decided, Refusal):
        return decided
    verb = "approve_filing" if is_approved else "refuse_filing"
    await write_audit(
        tx, verb=verb, filing_id=filing_id, admdvs=decided.admdvs, operator=operator, content=reason, ids=ids, now=now,
        channel=channel,
    )
    return decided


async def cancel_filing(
    tx: Connection, *, filing_id: str, operator: str, reason: str, ids: Ids, now: datetime, channel: str
) -> Refusal | None:
    """Cancel a filing of any kind for the agency, whoever made it; never one that a settlement rests on."""
    if not reason:
        return refuse("REASON_MISSING", "撤销备案须写明理由", field="reason", remedy="请写明理由")
    found = await queries.find_filing(tx, filing_id)
    if found is None:
        return _unknown(filing_id)
    refusal = await _cancel(
        tx, found["kind"], Cancelling(found["psn_no"], filing_id, found["filed_by"], reason, now)
    )
    if refusal is not None:
        return refusal
    await write_audit(
        tx, verb="cancel_filing", filing_id=filing_id, admdvs=found["admdvs"], operator=operator, content=reason,
        ids=ids, now=now, channel=channel,
    )
    return None


async def _cancel(tx: Connection, kind: str, cancelling: Cancelling) -> Refusal | None:
    if kind == "chronic":
        return await cancel_chronic(tx, cancelling)
    if kind == "referral":
        return await cancel_referral(tx, cancelling)
    if kind == "choice":
        return await _cancel_choice(tx, cancelling)
    if kind == "injury":
        return await cancel_injury(tx, cancelling, injury_classes=sorted(words().injury_classes))
    return await cancel_maternity(tx, cancelling, maternal_classes=sorted(words().maternal_classes))


async def _cancel_choice(tx: Connection, cancelling: Cancelling) -> Refusal | None:
    """Cancel a choice although it is in force: the agency may, as long as no settlement rests on it."""
    row = await queries.find_choice(tx, cancelling.psn_no, cancelling.filing_id)
    if row is None:
        return not_found(cancelling.filing_id)
    if row["cancelled_at"] is not None:
        return refuse("FILING_CANCELLED", "这条备案已经撤销", field="filing_id", received=cancelling.filing_id,
                      remedy="如需恢复请重新备案")
    used = await queries.find_use(
        tx, cancelling.psn_no, begin=row["valid_from"], end=row["valid_to"], since=row["filed_at"]
    )
    if used is not None:
        return in_use(used, filing_id=cancelling.filing_id)
    await end_choice(tx, cancelling, replaced=row["replaces"], detail=row["detail"])
    return None


async def write_audit(
    tx: Connection, *, verb: str, filing_id: str, admdvs: str, operator: str, content: object, ids: Ids, now: datetime,
    channel: str,
) -> None:
    """Write the audit row of what an agency did with a filing."""
    await audit.write(
        tx, entry_id=ids.new(now), at=now, actor=operator, sender=admdvs, channel=channel, verb=verb,
        object_id=filing_id, admdvs=admdvs, digest=sm3(msgspec.json.encode(content)),
    )


def _unknown(filing_id: str) -> Refusal:
    return refuse("FILING_NOT_FOUND", "没有这条备案", field="filing_id", received=filing_id,
                  remedy="请用 yibao filing list 查询备案编号")
