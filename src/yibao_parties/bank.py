"""The bank: carries out payout files by its own rules, collects dues by POS, and moves money between agencies."""

from __future__ import annotations

from yibao_parties.party import Declined, Party
from yibao_parties.wire import Body, at, next_working_day, sm3_hex

PAID, NO_ACCOUNT, OTHER_NAME, CLOSED = "00", "01", "02", "03"
WHY = {PAID: "", NO_ACCOUNT: "账号不存在", OTHER_NAME: "户名与账号不符", CLOSED: "账户已销户"}
AGENCY = "AGENCY-"
"""Accounts of agencies: ``AGENCY-441300`` is that of the region 441300."""
_EXECUTE_HOUR, _EXECUTE_MINUTE, _ARRIVAL_HOUR = 9, 30, 10
_ACCOUNT_LENGTH_MIN = 8


def return_digest(rows: list[Body]) -> str:
    """Return the SM3 over the sorted lines ``line_id,code,amount`` of an answer."""
    return sm3_hex("".join(sorted(f"{r['line_id']},{r['code']},{r['amount_fen']}\n" for r in rows)))


class Bank(Party):
    """Accounts, payout files, collections."""

    name = "bank"

    # ── what the platform says ──

    def take_payout_file(self, file: Body) -> None:
        """Check a file as a whole and carry it out on the next working day."""
        lines = [line.split("\t") for line in file["lines"]]
        total = sum(int(cells[4]) for cells in lines)
        if sm3_hex("".join(f"{line}\n" for line in file["lines"])) != file["digest"]:
            why = "文件摘要与内容不符"
        elif (len(lines), total) != (file["count"], file["amount_fen"]):
            why = "笔数或金额与明细不符"
        else:
            self.store.put("file", file["file_id"], file, admdvs=file["admdvs"], state="taken")
            day = next_working_day(self.now().date())
            self.store.plan(f"file:{file['file_id']}", "execute", {"file_id": file["file_id"]},
                            due_at=at(day, _EXECUTE_HOUR, _EXECUTE_MINUTE))
            return
        self.emit("file_refused", {"file_id": file["file_id"], "admdvs": file["admdvs"], "reason": why}, admdvs=file["admdvs"])
        raise Declined(why)

    # ── what time brings ──

    def on_execute(self, plan: Body) -> None:
        """Pay the lines of a file and answer each with a code."""
        file = self.store.find("file", plan["file_id"])
        assert file is not None
        rows = []
        for n, line in enumerate(file.body["lines"], 1):
            line_id, name, account, _bank, amount, _purpose, origin = line.split("\t")
            code = self._code(name, account)
            rows.append({"line_id": line_id, "code": code, "amount_fen": int(amount), "reason": WHY[code],
                         "bank_ref": f"{file.id}{n:05d}" if code == PAID else ""})
            if code == PAID and account.startswith(AGENCY):
                self._credit_agency(account.removeprefix(AGENCY), amount_fen=int(amount), reference=origin,
                                    payment_ref=rows[-1]["bank_ref"], sender=file.admdvs)
        self.store.move("file", file.id, "executed")
        self.emit("payout_return", {
            "file_id": file.id, "admdvs": file.admdvs, "rows": rows, "count": len(rows), "digest": return_digest(rows),
            "paid_fen": sum(r["amount_fen"] for r in rows if r["code"] == PAID),
        }, admdvs=file.admdvs)

    def _code(self, name: str, account: str) -> str:
        """Return what becomes of a transfer: an account opened here knows its holder, any other is another bank's."""
        if account.startswith(AGENCY):
            return PAID
        known = self.store.find("account", account)
        if known is not None:
            if known.state == "closed":
                return CLOSED
            return PAID if known.body["name"] == name else OTHER_NAME
        return PAID if account.isdigit() and len(account) >= _ACCOUNT_LENGTH_MIN else NO_ACCOUNT

    def _credit_agency(self, admdvs: str, *, amount_fen: int, reference: str, payment_ref: str, sender: str) -> None:
        self.emit("transfer_credit", {
            "reference": reference, "payment_ref": payment_ref, "amount_fen": amount_fen, "admdvs": admdvs, "from_admdvs": sender,
            "arrived_on": self.now().date().isoformat(),
        }, admdvs=admdvs)

    def on_arrival(self, plan: Body) -> None:
        """Hand over what was collected on a day."""
        taken = self.store.papers("collection", state="paid", admdvs=plan["admdvs"], day=plan["day"])
        for collection in taken:
            self.store.move("collection", collection.id, "arrived")
        self.emit("arrival", {
            "arrival_id": f"B{plan['admdvs']}{plan['day'].replace('-', '')}", "admdvs": plan["admdvs"],
            "arrived_on": self.now().date().isoformat(), "payment_ids": [c.id for c in taken],
            "amount_fen": sum(c.body["amount_fen"] for c in taken),
        }, admdvs=plan["admdvs"])

    # ── what people do here ──

    def act_open_account(self, body: Body) -> None:
        """Open an account: ``account``, ``name``."""
        self.store.put("account", body["account"], {"name": body["name"]}, state="open")

    def act_close_account(self, body: Body) -> None:
        """Close an account."""
        if self.store.find("account", body["account"]) is None:
            raise Declined("no such account")
        self.store.move("account", body["account"], "closed")

    def act_tell_card(self, body: Body) -> None:
        """Tell of somebody's card or account: ``certno``, ``admdvs``, ``card_no``, ``has_finance``, ``is_active``, or ``kind``
        ``bank`` with ``bank_name`` and ``bank_account``."""
        if not body["certno"]:
            raise Declined("whose card?")
        self.emit("card_account", body, admdvs=body["admdvs"])

    def act_collect(self, body: Body) -> str:
        """Take dues by POS: ``bill_id``, ``admdvs``, ``amount_fen``, ``payer_no``."""
        admdvs, day = body["admdvs"], self.now().date()
        payment = {
            "payment_id": f"C{admdvs}{day:%Y%m%d}{self.store.count('collection'):07d}", "bill_id": body["bill_id"],
            "amount_fen": int(body["amount_fen"]), "channel": body.get("channel", "pos"), "paid_at": self.now().isoformat(),
            "payer_no": body.get("payer_no", ""), "admdvs": admdvs,
        }
        self.store.put("collection", payment["payment_id"], payment, admdvs=admdvs, state="paid", day=day.isoformat())
        self.emit("collection", payment, admdvs=admdvs)
        self.store.plan(f"arrival:{admdvs}:{day}", "arrival", {"admdvs": admdvs, "day": day.isoformat()},
                        due_at=at(next_working_day(day), _ARRIVAL_HOUR))
        return str(payment["payment_id"])
