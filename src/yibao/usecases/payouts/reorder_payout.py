"""Order a failed payout anew (kept beside ordering it, whose checks it shares)."""

from __future__ import annotations

from yibao.usecases.payouts.order_payout import reorder_payout

__all__ = ["reorder_payout"]
