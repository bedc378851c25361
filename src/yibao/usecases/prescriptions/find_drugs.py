"""Find drugs that a prescription may name (7211)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

import asyncpg

from yibao.domains.dispensing.prescriptions_queries import list_drugs
from yibao.domains.institutions.model import Institution
from yibao.infra.database import Connection
from yibao.kernel.refusal import Refusal, refuse

PAGE_MAX = 100


async def find_drugs(
    tx: Connection, *, institution: Institution, codes: Sequence[str] | None, name: str, is_dual_channel: bool | None,
    is_paid: bool | None, on: date, page: int, size: int,
) -> list[asyncpg.Record] | Refusal:
    """Return a page of the region's drugs on a day; each row has the ``total``. Pages count from 1."""
    if page < 1 or not 1 <= size <= PAGE_MAX:
        return refuse("PAGE_OUT_OF_RANGE", f"分页从1起，每页1至{PAGE_MAX}条", field="data.pageSize",
                      received=f"{page}/{size}", remedy="请核对分页参数")
    return await list_drugs(
        tx, admdvs=institution.region, on=on, codes=codes, name=name, is_dual_channel=is_dual_channel, is_paid=is_paid,
        limit=size, offset=(page - 1) * size,
    )
