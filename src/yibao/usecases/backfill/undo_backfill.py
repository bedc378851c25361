"""What hangs on a backfill beside its money when it is cancelled or stands again: the episode and the patient's cash."""

from __future__ import annotations

from typing import Any

from yibao.domains.episodes.model import ENTERED, LAPSED, SETTLED
from yibao.kernel.refusal import Refusal, refuse
from yibao.usecases.backfill.booking import beside
from yibao.usecases.settlement.write_settlement import Booking


def refuse_undoing(found: Any, *, field: str, received: str) -> Refusal | None:
    """Refuse to bring a settlement back whose bill went another way meanwhile.

    Args:
        found: what the reversal is decided on, with the visit's ``episode`` and whether a claim holds the bill.
    """
    if found["is_claimed"]:
        return refuse("BILL_CLAIMED", "撤销之后这笔费用已申请手工报销，不能恢复原结算", field=field, received=received,
                      remedy="如要在机构结算，请先由参保人撤回手工报销申请")
    episode = found["episode"]
    if episode is not None and episode["state"] == LAPSED:
        return refuse("BACKFILL_TOO_LATE", f"停机期间费用的补录结算已于{episode['settle_by']}截止，不能恢复原结算", field=field,
                      received=received, remedy="请参保人到参保地经办机构办理手工报销")
    return None


def with_undoing(booking: Booking, found: Any) -> Booking:
    """Return the booking of a reversal with what becomes of the episode; as it is for everything that was never late.

    A cancelled settlement leaves the episode entered, with its money as it was before; one that stands again settles it.
    """
    episode, s = found["episode"], booking.settlement
    if episode is None:
        return booking
    if s.kind == "refund":
        if episode["state"] != SETTLED or episode["setl_id"] != s.origin_id:
            return booking
        return beside(booking, "episodes.unsettle({}, {}, {}, {})", s.psn_no, s.origin_id, s.settled_at, s.opter)
    if episode["state"] != ENTERED or found["is_interim"]:
        return booking
    # The settlement that stands again is the one that the refund had cancelled.
    return beside(
        booking, "episodes.settle({}, {}, {}, {}, {}, {}, {}, false)", s.psn_no, episode["episode_id"],
        found["settlement"]["origin_id"], s.mdtrt_id, s.cash_fen, s.settled_at, s.opter,
    )
