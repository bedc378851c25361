"""Filings: chronic diseases, referrals, chosen clinics, injuries, pregnancies."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from yibao.domains.applications.model import APPROVED, ChronicFiling, Registration
from yibao.domains.applications.model import Injury as FiledInjury
from yibao.entrypoints.api.authority import CHANNEL
from yibao.entrypoints.api.fields import Id, Limit, MaybeWords, PsnNo, Words
from yibao.entrypoints.api.routing import deed, read
from yibao.entrypoints.api.services import Call
from yibao.kernel.business_time import business_date
from yibao.kernel.identity_number import mask_name
from yibao.kernel.refusal import Refusal, refuse
from yibao.usecases.filings import decide_filing as decisions
from yibao.usecases.filings.file_injury import InjuryCommand, file_injury
from yibao.usecases.filings.file_maternity import MaternityCommand, file_maternity
from yibao.usecases.filings.insured import Operator

MaybePsnNo = Annotated[str, Meta(max_length=32, pattern=r"^[0-9A-Za-z]*$", description="人员编号，空为全部")]
MaybeInsutype = Annotated[str, Meta(pattern=r"^([0-9]{3})?$", description="险种，空为职工优先")]


class FilingRow(msgspec.Struct, frozen=True, kw_only=True):
    """A filing in a list; ``name`` is masked, the period is half-open."""

    filing_id: str
    kind: str
    state: str
    psn_no: str
    name: str
    code: str
    title: str
    valid_from: date
    valid_to: date | None
    filed_at: datetime


class Filings(msgspec.Struct, frozen=True):
    """Filings of every kind, the oldest first."""

    rows: list[FilingRow]


class FilingAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """A filing that was made or ended."""

    filing_id: str
    psn_no: str
    state: str
    valid_from: date
    valid_to: date | None


class Decision(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Whether a filing is approved; a refusal needs its reason."""

    approve: bool
    reason: MaybeWords = ""


class Cancel(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Why a filing is cancelled."""

    reason: Words


class Pregnancy(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A pregnancy to register; ``begin`` is today if absent, ``end`` the last day."""

    insutype: MaybeInsutype = ""
    fixmedins_code: Annotated[str, Meta(max_length=12)] = ""
    due_on: date | None = None
    spouse_psn_no: MaybePsnNo = ""
    begin: date | None = None
    end: date | None = None


class Injury(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An injury: accident, somebody else liable (with or without undertaking), or recognised as work injury."""

    kind: Literal["accident", "third_party", "work_injury"]
    injured_on: date | None = None
    place: MaybeWords = ""
    cause: MaybeWords = ""
    has_undertaking: bool = False
    begin: date | None = None
    end: date | None = None


@read("/filings", verb="list_filings")
async def list_filings(
    call: Call, kind: Literal["", "chronic", "referral", "choice", "injury", "maternity"] = "",
    state: Literal["", "filed", "approved", "refused", "cancelled"] = "", psn_no: MaybePsnNo = "",
    limit: Limit = 50,
) -> Filings:
    """List filings of every kind."""
    rows = await decisions.list_filings(call.tx, kind=kind, state=state, psn_no=psn_no)
    return Filings([
        msgspec.convert({**dict(row), "name": mask_name(row["name"])}, FilingRow, strict=False) for row in rows[:limit]
    ])


@deed("/filings/{filing_id}/decide", verb="decide_filing")
async def decide_filing(call: Call, filing_id: Id, data: Decision) -> FilingAnswer | Refusal:
    """Approve or refuse the recognition of a chronic disease."""
    decided = await decisions.decide_filing(
        call.tx, filing_id=filing_id, is_approved=data.approve, operator=call.actor.login, reason=data.reason,
        ids=call.ids, now=call.now, channel=CHANNEL,
    )
    return decided if isinstance(decided, Refusal) else _answer(decided, decided.state)


@deed("/filings/{filing_id}/cancel", verb="cancel_filing")
async def cancel_filing(call: Call, filing_id: Id, data: Cancel) -> FilingRow | Refusal:
    """Cancel a filing of any kind that no settlement rests on."""
    refusal = await decisions.cancel_filing(
        call.tx, filing_id=filing_id, operator=call.actor.login, reason=data.reason, ids=call.ids, now=call.now,
        channel=CHANNEL,
    )
    if refusal is not None:
        return refusal
    row = await call.tx.fetchrow(
        "select f.*, p.name from applications.filing f join people.person p on p.psn_no = f.psn_no "
        "where f.filing_id = $1", filing_id
    )
    if row is None:
        return refuse("FILING_NOT_FOUND", "没有这条备案", field="filing_id", received=filing_id, remedy="请核对备案编号")
    return msgspec.convert({**dict(row), "name": mask_name(row["name"])}, FilingRow, strict=False)


@deed("/people/{psn_no}/pregnancies", verb="file_maternity", status=201)
async def register_pregnancy(call: Call, psn_no: PsnNo, data: Pregnancy) -> FilingAnswer | Refusal:
    """Register a pregnancy, so that maternity visits can be settled."""
    command = MaternityCommand(
        psn_no, data.insutype, data.fixmedins_code, data.due_on, data.spouse_psn_no,
        data.begin or business_date(call.now), data.end,
    )
    filed = await file_maternity(
        call.tx, command=command, operator=_operator(call), shelf=call.shelf, filing_id=call.ids.new(call.now),
        now=call.now,
    )
    return await _audited(call, filed, "file_maternity")


@deed("/people/{psn_no}/injuries", verb="file_injury", status=201)
async def register_injury(call: Call, psn_no: PsnNo, data: Injury) -> FilingAnswer | Refusal:
    """File an injury with its kind and, where somebody else may be liable, the undertaking."""
    command = InjuryCommand(
        psn_no, "", data.kind, data.injured_on, data.place, data.cause, data.has_undertaking, True,
        data.begin or business_date(call.now), data.end, "{}",
    )
    filed = await file_injury(
        call.tx, command=command, operator=_operator(call), filing_id=call.ids.new(call.now), now=call.now
    )
    return await _audited(call, filed, "file_injury")


def _operator(call: Call) -> Operator:
    return Operator("", call.actor.login, call.actor.login)


async def _audited(
    call: Call, filed: Registration | FiledInjury | Refusal, verb: str
) -> FilingAnswer | Refusal:
    if isinstance(filed, Refusal):
        return filed
    await decisions.write_audit(
        call.tx, verb=verb, filing_id=filed.filing_id, admdvs=filed.admdvs, operator=call.actor.login, content=filed,
        ids=call.ids, now=call.now, channel=CHANNEL,
    )
    return _answer(filed, APPROVED)


def _answer(filed: ChronicFiling | Registration | FiledInjury, state: str) -> FilingAnswer:
    return FilingAnswer(
        filing_id=filed.filing_id, psn_no=filed.psn_no, state=state, valid_from=filed.valid_from,
        valid_to=filed.valid_to,
    )


ROUTES = (list_filings, decide_filing, cancel_filing, register_pregnancy, register_injury)
