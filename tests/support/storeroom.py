"""A storeroom in miniature: sends what an institution's own system tells of its goods, and keeps a plain book beside it.

Written from the interface alone. The book is a list of what was sent and computes a stock by reading it from the start.
"""

from __future__ import annotations

import json
from datetime import date, datetime, timedelta
from fractions import Fraction
from typing import Any

from tests.support.till import Till, wire_now
from yibao.kernel.business_time import SHANGHAI

DRUG = "XA06ADF336P001010100233"
FIELDS = {"3501": "invinfo", "3502": "invinfo", "3503": "purcinfo", "3504": "purcinfo", "3505": "selinfo", "3506": "selinfo"}


class Reply:
    """What came back: output, warning and reason; ``ok`` says which."""

    def __init__(self, answer: dict[str, Any]) -> None:
        self.ok = answer.get("infcode") == 0
        self.output = answer.get("output")
        self.warning = answer.get("warn_msg") or ""
        self.reason = answer.get("err_msg") or answer.get("message") or ""


def send(till: Till, infno: str, content: Any, *, msgid: str | None = None) -> Reply:
    """Send a message and return its reply, refused or not."""
    return Reply(json.loads(till.ask(till.envelope(infno, content, msgid=msgid))))


def today() -> date:
    return datetime.now(SHANGHAI).date()


def at(days_ago: int, clock: str = "00:00:01") -> str:
    return f"{today() - timedelta(days=days_ago)} {clock}"


def goods(own: str = "Y1", batch: str = "B1", **more: Any) -> dict[str, Any]:
    """Return what every record says of the goods."""
    return {
        "med_list_codg": DRUG, "fixmedins_hilist_id": own, "fixmedins_hilist_name": "聚乙二醇散", "fixmedins_bchno": batch,
        "rx_flag": "0", "manu_lotnum": "L1", "manu_date": "2026-01-01", "expy_end": "2099-01-01", **more,
    }


def count(quantity: float, *, days_ago: int = 0, **more: Any) -> dict[str, Any]:
    return goods(inv_cnt=quantity, invdate=str(today() - timedelta(days=days_ago)), **more)


def change(kind: str, quantity: float, *, days_ago: int = 0, **more: Any) -> dict[str, Any]:
    return goods(inv_chg_type=kind, pric=1.5, cnt=quantity, inv_chg_time=at(days_ago), trdn_flag="0", **more)


def purchase(quantity: float, *, days_ago: int = 0, **more: Any) -> dict[str, Any]:
    return goods(
        spler_name="某医药公司", prodentp_name="某药厂", aprvno="国药准字H1", finl_trns_pric=1.25, purc_retn_cnt=quantity,
        purc_invo_no="F1", purc_retn_stoin_time=at(days_ago), purc_retn_opter_name="王库管", **more,
    )


def sale(quantity: float, *, days_ago: int = 0, codes: tuple[str, ...] = (), **more: Any) -> dict[str, Any]:
    row = goods(
        prsc_dr_name="李医师", phar_name="赵药师", phar_prac_cert_no="YS1", mdtrt_sn="J1", trdn_flag="0", finl_trns_pric=2,
        rtal_docno="X1", sel_retn_cnt=quantity, sel_retn_time=at(days_ago), sel_retn_opter_name="钱收银",
        drugtracinfo=[{"drug_trac_codg": code} for code in codes],
    )
    return row | more


def stock_of(till: Till, *, own: str = "Y1", batch: str = "B1") -> float | None:
    """Return what the platform says is there of a shelf, None where it knows nothing."""
    found = send(till, "3508", {"data": asked(till, own=own, batch=batch)})
    assert found.ok, found.reason
    return None if found.output == [] else found.output["invCnt"]


def asked(till: Till, *, own: str = "Y1", batch: str = "B1", **more: Any) -> dict[str, Any]:
    return {
        "fixmedins_code": till.counter.fixmedins_code, "medins_list_codg": own, "fixmedins_bchno": batch,
        "begndate": "2020-01-01", "enddate": "2099-12-31", **more,
    }


class PlainBook:
    """Every record that was taken, in order; what is there is read off from the first to the last."""

    def __init__(self) -> None:
        self.rows: list[dict[str, Any]] = []

    def put(self, kind: str, shelf: tuple[str, str], day: date, amount: Fraction) -> None:
        """Note a record: ``count`` sets, everything else adds its signed amount."""
        self.rows.append({"kind": kind, "shelf": shelf, "day": day, "amount": amount, "gone": False})

    def delete(self, batch: str, kinds: tuple[str, ...]) -> bool:
        """Strike out the records of kinds in a batch and say whether there were any."""
        struck = [r for r in self.rows if r["shelf"][1] == batch and r["kind"] in kinds and not r["gone"]]
        for row in struck:
            row["gone"] = True
        return bool(struck)

    def total(self, kind: str, shelf: tuple[str, str]) -> Fraction:
        """Return how much was noted of a kind, without signs."""
        return sum((abs(r["amount"]) for r in self._alive(shelf) if r["kind"] == kind), Fraction(0))

    def stock(self, shelf: tuple[str, str]) -> Fraction:
        """Return what is there: the last count, and what was noted after it on its day or happened on later days."""
        alive = self._alive(shelf)
        counts = [i for i, r in enumerate(alive) if r["kind"] == "count"]
        if not counts:
            return sum((r["amount"] for r in alive), Fraction(0))
        last = max(counts, key=lambda i: (alive[i]["day"], i))
        day = alive[last]["day"]
        later = [
            r["amount"] for i, r in enumerate(alive)
            if r["kind"] != "count" and (r["day"] > day or (r["day"] == day and i > last))
        ]
        return alive[last]["amount"] + sum(later, Fraction(0))

    def _alive(self, shelf: tuple[str, str]) -> list[dict[str, Any]]:
        return [r for r in self.rows if r["shelf"] == shelf and not r["gone"]]


__all__ = [
    "DRUG", "FIELDS", "PlainBook", "Reply", "asked", "at", "change", "count", "goods", "purchase", "sale", "send", "stock_of",
    "today", "wire_now",
]
