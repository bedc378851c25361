"""What a window stops or says of operations of the API: 423 with the reason, or advice in a header of the answer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

import msgspec

from yibao.domains.windows.model import Judged
from yibao.entrypoints.api.problems import Refused
from yibao.entrypoints.api.services import Call
from yibao.usecases.windows.business_of import asked_by_operation
from yibao.usecases.windows.place_of import place_of

STATUS = 423
"""Locked: what is asked for is there, and closed for now."""
ADVICE_HEADER, SNAPSHOT_HEADER = "x-yibao-advice", "x-yibao-as-of"


async def pass_window(call: Call, operation: str, *, named: Mapping[str, Any]) -> Call:
    """Return the call with what the gate said of it.

    Only where a plan counts in one of the actor's regions is looked up which region the object is of.

    Raises:
        Refused: 423, a window stops it.
    """
    gate, regions = call.gate, call.actor.regions
    if not gate.plans_of(*regions):
        return call
    asked = asked_by_operation(operation, named, admdvs="")
    if asked is None:
        return call
    admdvs = await place_of(call.tx, named, regions=regions)
    asked = msgspec.structs.replace(asked, admdvs=admdvs, care_admdvs=admdvs)
    judged = gate.ask(asked, call.now)
    if judged.refusal is not None:
        raise Refused(judged.refusal, STATUS)
    return msgspec.structs.replace(call, judged=judged)


def with_advice(headers: dict[str, str], judged: Judged) -> dict[str, str]:
    """Return headers with what people should know beside the answer; percent-encoded, as headers carry no Chinese."""
    if judged.advice:
        headers[ADVICE_HEADER] = quote("；".join(judged.advice))
    if judged.snapshot_at is not None:
        headers[SNAPSHOT_HEADER] = judged.snapshot_at.isoformat()
    return headers
