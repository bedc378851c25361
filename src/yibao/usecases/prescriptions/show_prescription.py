"""Show a prescription to the hospital that wrote it: content (7105), pharmacy's review (7106), dispensing (7107)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

import asyncpg
import msgspec

from yibao.domains.dispensing import prescriptions_queries as queries
from yibao.domains.dispensing.dispensed_queries import list_handed_out, list_settled
from yibao.domains.dispensing.prescriptions_model import CANCELLED
from yibao.domains.encounters.queries import find_encounter
from yibao.domains.institutions.model import Institution
from yibao.domains.people.queries import find_person
from yibao.infra.database import Connection
from yibao.kernel.refusal import Fault, Refusal
from yibao.usecases.prescriptions.check_prescription import patient_faults
from yibao.usecases.prescriptions.upload_prescription import own_prescription, refuse_unless_uploaded

IN_FORCE, EXPIRED, VOID = "1", "2", "3"
"""Codes of ``rx_stas_codg``."""
UNUSED, USED = "1", "2"
"""Codes of ``rx_used_stas_codg``: something of it was dispensed or nothing was."""


_DOCUMENT = msgspec.json.Decoder(float_hook=Decimal)


class Asking(msgspec.Struct, frozen=True):
    """What a hospital asks about: the prescription, and who the patient is."""

    hi_rxno: str
    mdtrt_id: str
    name: str
    cert_type: str
    certno: str


class Shown(msgspec.Struct, frozen=True):
    """A prescription as it stands.

    Attributes:
        insutype: insurance of the visit it was written in.
        document: what the hospital sent, decoded.
        status, used: codes of the wire.
        uses: how many uses were begun.
        review: the newest review of any pharmacy.
        settled, handed_out: what was dispensed: in bills in force, and as told by pharmacies.
    """

    prescription: asyncpg.Record
    insutype: str
    document: dict[str, Any]
    status: str
    used: str
    uses: int
    review: asyncpg.Record | None
    settled: Sequence[asyncpg.Record]
    handed_out: Sequence[asyncpg.Record]


async def show_prescription(
    tx: Connection, *, asking: Asking, institution: Institution, now: datetime
) -> Shown | Refusal:
    """Show a prescription of this institution, or refuse."""
    found = await own_prescription(tx, asking.hi_rxno, institution, lock=False)
    if isinstance(found, Refusal):
        return found
    refusal = refuse_unless_uploaded(found)
    if refusal is not None:
        return refusal
    faults = patient_faults(
        await find_person(tx, found["psn_no"]), name=asking.name, cert_type=asking.cert_type, certno=asking.certno,
        node="data", name_field="psnName",
    )
    if asking.mdtrt_id and asking.mdtrt_id != found["mdtrt_id"]:
        faults.append(Fault("ENCOUNTER_DIFFERS", "医保就诊ID与处方不一致", "data.mdtrtId", asking.mdtrt_id, "请核对就诊ID"))
    if faults:
        return Refusal(tuple(faults))
    return await shown(tx, found, now=now)


async def shown(tx: Connection, found: asyncpg.Record, *, now: datetime) -> Shown:
    """Return a prescription as it stands."""
    names = {"psn_no": found["psn_no"], "hi_rxno": found["hi_rxno"]}
    lines = await queries.list_prescribed(tx, **names)
    visit = await find_encounter(tx, psn_no=found["psn_no"], mdtrt_id=found["mdtrt_id"])
    uses = max(-(-line["dispensed_e4"] // line["use_e4"]) for line in lines)
    return Shown(
        prescription=found, insutype=visit["insutype"] if visit is not None else "",
        document=_DOCUMENT.decode(found["document"]), status=status_of(found, now=now),
        used=USED if uses else UNUSED, uses=uses, review=await queries.last_review(tx, **names),
        settled=await list_settled(tx, **names), handed_out=await list_handed_out(tx, **names),
    )


def status_of(found: asyncpg.Record, *, now: datetime) -> str:
    """Return the status of a prescription as the wire says it."""
    if found["state"] == CANCELLED:
        return VOID
    return EXPIRED if found["valid_until"] < now else IN_FORCE
