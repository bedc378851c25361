"""Pooled outpatient at a pharmacy: fee lines uploaded there (2204) are dispensed on prescriptions, 2205 gives back."""

from __future__ import annotations

from collections.abc import Sequence

from yibao.domains.dispensing import dispensed_operations as operations
from yibao.domains.dispensing.dispensed_model import Dispensed, Wanted
from yibao.domains.dispensing.dispensed_queries import list_prescribed
from yibao.domains.dispensing.dispensed_rules import dispensing_faults
from yibao.domains.encounters.model import FeeLine
from yibao.domains.institutions.model import PHARMACY, Institution
from yibao.infra.database import Connection
from yibao.kernel.refusal import Fault, Refusal


async def dispense_lines(tx: Connection, lines: Sequence[FeeLine], *, institution: Institution) -> Refusal | None:
    """Take what lines uploaded by a pharmacy dispense of e-prescriptions; each line needs one.

    The pool pays at a pharmacy for outside prescriptions only. The drugs count as taken from the upload on, so that two
    purchases on their way cannot both have them; withdrawing the lines gives them back. Hospitals pass untouched.
    """
    if institution.kind != PHARMACY:
        return None
    bare = [
        Fault("PHARMACY_NEEDS_PRESCRIPTION", "药店的门诊统筹购药须凭平台上的电子处方", f"feedetail[{i}].rxno", x.rxno,
              "请填写医保处方编号和外购处方标志1；个人账户购药请用2102")
        for i, x in enumerate(lines) if not (x.outside_rx and x.rxno)
    ]
    if bare:
        return Refusal(tuple(bare))
    wanted = [Wanted(x.rxno, x.item_code, x.quantity_e4, f"feedetail[{i}]") for i, x in enumerate(lines)]
    prescribed = await list_prescribed(tx, {x.rxno for x in lines}, pharmacy=institution.fixmedins_code)
    faults = dispensing_faults(
        wanted, prescribed, psn_no=lines[0].psn_no, region=institution.region, at=lines[0].occurred_at
    )
    if faults:
        return Refusal(tuple(faults))
    await operations.take(tx, [
        Dispensed(x.psn_no, x.mdtrt_id, x.feedetl_sn, x.admdvs, x.rxno, x.item_code, institution.fixmedins_code,
                  x.quantity_e4, x.occurred_at)
        for x in lines
    ])
    return None


async def give_back_withdrawn(tx: Connection, *, psn_no: str, mdtrt_id: str, institution: Institution) -> None:
    """Give back what withdrawn lines of an encounter at a pharmacy had taken."""
    if institution.kind == PHARMACY:
        await operations.give_back_withdrawn(tx, psn_no=psn_no, mdtrt_id=mdtrt_id)
