"""Enter a case without the patient: the institution kept the credential that was shown when the case was noted."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from yibao.domains.episodes.model import OPEN
from yibao.domains.episodes.queries import find_by_visit
from yibao.infra.database import Connection
from yibao.infra.digest import sm3
from yibao.kernel.refusal import Fault

OF_CREDENTIAL = frozenset({"CREDENTIAL_DIFFERS", "CARD_LOST", "CARD_REPLACED", "CARD_CANCELLED"})
"""What becomes of a card after the visit says nothing about the visit: the person was there and showed it."""


async def without_patient(
    tx: Connection, faults: Iterable[Fault], *, psn_no: str, fixmedins_code: str, kind: str, visit_no: str, cert_type: str,
    cert_no: str,
) -> list[Fault]:
    """Return the faults of an arrival without those of the credential, where exactly this one was kept for the case.

    Nothing is looked up where there is no such fault.
    """
    found = list(faults)
    if not any(f.code in OF_CREDENTIAL for f in found):
        return found
    episode = await find_by_visit(tx, fixmedins_code=fixmedins_code, kind=kind, visit_no=visit_no)
    if episode is None or episode.psn_no != psn_no or episode.state not in OPEN:
        return found
    kept = msgspec.json.decode(episode.credential)
    digest = sm3(cert_no.upper().encode()).hex()
    if (kept.get("cert_type"), kept.get("digest")) != (cert_type, digest):
        return found
    return [f for f in found if f.code not in OF_CREDENTIAL]
