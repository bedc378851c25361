"""What a person may ask of his or her own data: all of it, and its correction."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from yibao.domains.access import agents_queries
from yibao.domains.access.agents_model import Correction
from yibao.entrypoints.api.fields import Id, Limit, MaybeWords, PsnNo, Words
from yibao.entrypoints.api.routing import ask, deed, read
from yibao.entrypoints.api.services import Call
from yibao.kernel.identity_number import mask
from yibao.kernel.refusal import Refusal
from yibao.usecases.privacy.correct_person import CorrectionForm, ask_correction, decide_correction
from yibao.usecases.privacy.export_person import PersonExport, export_person

_MASKED = frozenset(("certno", "card_no", "phone"))


class ExportForm(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Why the data is taken out."""

    reason: Words


class Corrections(msgspec.Struct, frozen=True):
    """Requests to correct, the oldest first."""

    rows: list[Correction]


class CorrectionDecision(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Whether a correction is made; a rejection needs its reason."""

    approve: bool
    answer: MaybeWords = ""


@ask("/people/{psn_no}/export", verb="export_person")
async def take_export(call: Call, psn_no: PsnNo, data: ExportForm) -> PersonExport | Refusal:
    """Return all that is stored about a person, by source; that it was taken is in the trail."""
    return await export_person(
        call.tx, psn_no, reason=data.reason, actor=call.actor, now=call.now, ids=call.ids
    )


@deed("/people/{psn_no}/corrections", verb="ask_correction", status=201)
async def add_correction(call: Call, psn_no: PsnNo, data: CorrectionForm) -> Correction | Refusal:
    """Take a person's request to correct what is stored; somebody else decides."""
    kept = await ask_correction(call.tx, psn_no, data, actor=call.actor, now=call.now, ids=call.ids)
    return kept if isinstance(kept, Refusal) else _shown(kept)


@read("/corrections", verb="list_corrections")
async def list_corrections(
    call: Call, state: Literal["", "asked", "corrected", "rejected"] = "asked",
    psn_no: Annotated[str, Meta(max_length=32, pattern=r"^[0-9A-Za-z]*$")] = "", limit: Limit = 50,
) -> Corrections:
    """List requests to correct, with what was stored when they were made."""
    rows = await agents_queries.list_corrections(call.tx, state=state, psn_no=psn_no, most=limit)
    return Corrections([_shown(row) for row in rows])


@deed("/corrections/{correction_id}/decide", verb="decide_correction")
async def end_correction(call: Call, correction_id: Id, data: CorrectionDecision) -> Correction | Refusal:
    """Correct the person's data, or reject the request with a reason."""
    done = await decide_correction(
        call.tx, correction_id, approve=data.approve, answer=data.answer, actor=call.actor, now=call.now, ids=call.ids,
        shelf=call.shelf,
    )
    return done if isinstance(done, Refusal) else _shown(done)


def _shown(correction: Correction) -> Correction:
    """Return a request with numbers masked: what is right stands on the paper that the person brought."""
    if correction.field not in _MASKED:
        return correction
    return msgspec.structs.replace(
        correction, old_value=mask(correction.old_value), new_value=mask(correction.new_value)
    )


ROUTES = (take_export, add_correction, list_corrections, end_correction)
