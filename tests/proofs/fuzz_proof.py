"""The malformed-message proof at full size, against a served platform with a demo world."""

from __future__ import annotations

from datetime import date
from typing import Any

import httpx

from tests.proofs.fuzz_messages import run
from yibao.demo.description import describe
from yibao.demo.world import SEED
from yibao.entrypoints.gateway.registry import offered
from yibao.infra.database import Database

SCHEME_WITHOUT_SIGNATURE = "none"


def _envelope(institution: dict[str, Any], region: str, today: date) -> dict[str, Any]:
    """Return a valid envelope of an institution."""
    return {
        "infno": "", "msgid": "", "mdtrtarea_admvs": region, "insuplc_admdvs": region, "recer_sys_code": "FSI",
        "dev_no": "", "dev_safe_info": "", "cainfo": "", "signtype": "SM3", "infver": "V1.0", "opter_type": "1",
        "opter": "001", "opter_name": "收费员", "inf_time": f"{today} 09:30:00",
        "fixmedins_code": institution["fixmedins_code"], "fixmedins_name": institution["fixmedins_name"], "sign_no": "",
    }


def _known(institution: dict[str, Any], patient: dict[str, Any], today: date) -> dict[str, Any]:
    """Return values that this world knows, so that messages reach the deeds' own writes."""
    doctor, line = institution["doctors"][0], patient["visit"]["lines"][0]
    return {
        "psn_no": patient["psn_no"], "certno": patient["certno"], "mdtrt_cert_no": patient["certno"],
        "mdtrt_cert_type": "02", "psn_cert_type": "01", "insutype": patient["insutype"], "med_type": "11",
        "atddr_no": doctor["dr_codg"], "dr_name": doctor["dr_name"], "dept_code": doctor["dept_code"],
        "dept_name": doctor["dept_name"], "begntime": f"{today} 09:00:00", "med_list_codg": line["med_list_codg"],
        "fixmedins_code": institution["fixmedins_code"],
    }


async def prove(n: int, seed: int, *, base_url: str, database_url: str, today: date) -> dict[str, Any]:
    """Send ``n`` faulty messages to the platform at ``base_url`` and return the counts.

    Args:
        database_url: the platform's database, as owner.
        today: the business day on which the demo world was built.
    """
    database = await Database.open(database_url, role=None, size=2)
    try:
        demo = await describe(database, base_url=base_url, today=today, seed=SEED)
        institution = next(
            i for i in demo["institutions"] if i["auth"]["scheme"] == SCHEME_WITHOUT_SIGNATURE and i["doctors"]
        )
        region = next(r for r in (p["insuplc_admdvs"] for p in demo["patients"]) if r[:4] == institution["admdvs"][:4])
        patient = next(p for p in demo["patients"] if p["insuplc_admdvs"] == region)
        deeds = frozenset(infno for infno, handler in offered().items() if handler.kind != "query")
        async with httpx.AsyncClient(base_url=base_url, timeout=30.0) as client:
            return await run(
                n, seed, client, database=database, envelope=_envelope(institution, region, today), deeds=deeds,
                known=_known(institution, patient, today), batch=1000,
            )
    finally:
        await database.close()
