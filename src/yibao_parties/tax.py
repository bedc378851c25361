"""The tax bureau: keeps the bills it is told of, takes money for them, says daily what it took, and hands it over."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from yibao_parties.party import Declined, Party
from yibao_parties.wire import Body, at, next_working_day, sm3_hex

STATEMENT_HOUR, ARRIVAL_HOUR, REFUND_HOUR = 22, 10, 15
COUNTER = "counter"


def statement_digest(rows: list[Body]) -> str:
    """Return the SM3 over the sorted lines ``payment_id,amount`` of a statement."""
    return sm3_hex("\n".join(sorted(f"{row['payment_id']},{row['amount_fen']}" for row in rows)))


class Tax(Party):
    """Bills, payments at the counter, in the app or by POS, statements, arrivals, refunds."""

    name = "tax"

    # ── what the platform says ──

    def take_bill(self, bill: Body) -> None:
        """Keep a bill; people can pay it from its day on."""
        self.store.put("bill", bill["bill_id"], bill, admdvs=bill["admdvs"], state="open")
        self._plan_statement(bill["admdvs"], self.now().date())

    def take_bill_cancelled(self, told: Body) -> None:
        """Take a bill back, if nobody has paid it."""
        bill = self.store.find("bill", told["bill_id"])
        if bill is None:
            raise Declined("no such bill")
        if bill.state == "open":
            self.store.move("bill", bill.id, "cancelled")

    def take_refund(self, told: Body) -> None:
        """Give money back to who paid it, on the next working day."""
        day = next_working_day(self.now().date())
        self.store.put("refund", told["refund_id"], told, state="ordered")
        self.store.plan(f"refund:{told['refund_id']}", "refund", told, due_at=at(day, REFUND_HOUR))

    def take_payment_return(self, told: Body) -> None:
        """Give a payment back that came after collection stopped, unless it is handed over already."""
        self.act_return_payment({"payment_id": told["payment_id"], "reason": told.get("reason", "")})

    # ── what time brings ──

    def on_refund(self, told: Body) -> None:
        """Tell that the money is back with the payer."""
        self.store.move("refund", told["refund_id"], "done")
        payment = self.store.find("payment", told.get("payment_id", ""))
        admdvs = told.get("admdvs") or (payment.admdvs if payment else "")
        self.emit("refund_done", {"refund_id": told["refund_id"], "done_on": self.now().date().isoformat(), "admdvs": admdvs},
                  admdvs=admdvs)

    def on_statement(self, plan: Body) -> None:
        """Tell what was taken on a day, count, sum, digest and rows."""
        admdvs, day = plan["admdvs"], plan["day"]
        rows = [{"payment_id": p.id, "amount_fen": p.body["amount_fen"]} for p in self.store.papers(
            "payment", admdvs=admdvs, day=day)]
        self.emit("statement", {
            "admdvs": admdvs, "day": day, "count": len(rows), "amount_fen": sum(row["amount_fen"] for row in rows),
            "digest": statement_digest(rows), "rows": rows,
        }, admdvs=admdvs)
        self._plan_statement(admdvs, date.fromisoformat(day) + timedelta(days=1))

    def on_arrival(self, plan: Body) -> None:
        """Hand over what was taken on a day, less what was given back since."""
        admdvs, day = plan["admdvs"], plan["day"]
        payments = self.store.papers("payment", state="paid", admdvs=admdvs, day=day)
        if not payments:
            return
        for payment in payments:
            self.store.move("payment", payment.id, "arrived")
        self.emit("arrival", {
            "arrival_id": f"A{admdvs}{day.replace('-', '')}", "admdvs": admdvs, "arrived_on": self.now().date().isoformat(),
            "payment_ids": [p.id for p in payments], "amount_fen": sum(p.body["amount_fen"] for p in payments),
        }, admdvs=admdvs)

    def _plan_statement(self, admdvs: str, day: date) -> None:
        key = f"statement:{admdvs}"
        self.store.plan(key, "statement", {"admdvs": admdvs, "day": day.isoformat()}, due_at=at(day, STATEMENT_HOUR))

    # ── what people do here ──

    def act_pay(self, body: Body) -> str:
        """Pay a bill: ``bill_id``; by default all of it, at the counter, by the payer. ``force`` skips the checks."""
        bill = self.store.find("bill", body["bill_id"])
        if bill is None and not body.get("force"):
            raise Declined("no such bill")
        owed = bill.body if bill is not None else {}
        channel = body.get("channel") or (owed.get("channels") or [COUNTER])[0]
        if bill is not None and not body.get("force"):
            if bill.state != "open":
                raise Declined(f"the bill is {bill.state}")
            if owed.get("pay_from") and self.now().date().isoformat() < owed["pay_from"][:10]:
                raise Declined(f"the bill can be paid from {owed['pay_from']}")
            if owed.get("channels") and channel not in owed["channels"]:
                raise Declined(f"channel {channel} is not open to this payer; open are {', '.join(owed['channels'])}")
        admdvs = body.get("admdvs") or owed["admdvs"]
        day = self.now().date()
        payment = {
            "payment_id": body.get("payment_id") or f"T{admdvs}{day:%Y%m%d}{self.store.count('payment'):07d}",
            "bill_id": body["bill_id"], "amount_fen": int(body.get("amount_fen") or owed.get("amount_fen") or 0),
            "channel": channel, "paid_at": self.now().isoformat(), "payer_no": body.get("payer_no", owed.get("payer_no", "")),
            "admdvs": admdvs,
        }
        self.store.put("payment", payment["payment_id"], payment, admdvs=admdvs, state="paid", day=day.isoformat())
        if bill is not None and bill.state == "open":
            self.store.move("bill", bill.id, "paid")
        self.emit("payment", payment, admdvs=admdvs)
        self._plan_statement(admdvs, day)
        self.store.plan(f"arrival:{admdvs}:{day}", "arrival", {"admdvs": admdvs, "day": day.isoformat()},
                        due_at=at(next_working_day(day), ARRIVAL_HOUR))
        return str(payment["payment_id"])

    def act_pay_open(self, body: Body) -> int:
        """Pay all open bills that may be paid: of a region, month or kind of payer, but those of ``except`` payers."""
        wanted = {name: body[name] for name in ("admdvs", "month", "payer_kind") if body.get(name)}
        spared, today, paid = set(body.get("except", ())), self.now().date().isoformat(), 0
        for bill in self.store.papers("bill", state="open"):
            told = bill.body
            if any(told.get(name) != value for name, value in wanted.items()) or told.get("payer_no") in spared:
                continue
            if told.get("pay_from") and told["pay_from"][:10] > today:
                continue
            self.act_pay({"bill_id": bill.id})
            paid += 1
        return paid

    def act_return_payment(self, body: Body) -> str:
        """Give a payment back before it is handed over."""
        payment = self.store.find("payment", body["payment_id"])
        if payment is None or payment.state != "paid":
            raise Declined("no such payment, or it is handed over already")
        self.store.move("payment", payment.id, "returned")
        bill = self.store.find("bill", payment.body["bill_id"])
        if bill is not None and bill.state == "paid":
            self.store.move("bill", bill.id, "open")
        self.emit("payment_returned", {
            "payment_id": payment.id, "bill_id": payment.body["bill_id"], "amount_fen": payment.body["amount_fen"],
            "returned_at": self.now().isoformat(), "reason": body.get("reason", ""), "admdvs": payment.admdvs,
        }, admdvs=payment.admdvs)
        return payment.id

    def act_forget_payment(self, body: Body) -> str:
        """Lose a payment from the books, so that the statement does not have it."""
        payment = self.store.find("payment", body["payment_id"])
        if payment is None:
            raise Declined("no such payment")
        self.store.put("payment", payment.id, payment.body, admdvs=payment.admdvs, state="forgotten", day="")
        return payment.id

    def act_bills(self, body: Body) -> list[Any]:
        """List bills by state."""
        return [{**b.body, "state": b.state} for b in self.store.papers("bill", state=body.get("state", ""))]
