"""The one rule about closed months: no posting is dated in them."""

from __future__ import annotations

from datetime import date

from yibao.domains.closing.queries import find_month
from yibao.domains.closing.rules import first_of, refuse_posting
from yibao.infra.database import Connection
from yibao.kernel.refusal import Refusal


async def refuse_closed(tx: Connection, *, admdvs: str, on: date) -> Refusal | None:
    """Refuse a posting dated on a day whose month is closed.

    Needed only where the caller chooses the posting's instant. A deed that posts at the present instant cannot meet a
    closed month: a month is closed only after it is over.

    Args:
        on: business date of the posting's instant.
    """
    return refuse_posting(await find_month(tx, admdvs, first_of(on)), on)
