"""The office that reimburses receipts by hand: clerks over REST as strangers would, the bank as the bank."""

from __future__ import annotations

import base64
import hashlib
import itertools
from collections.abc import Sequence
from typing import Any

from tests.support.window_city import City
from yibao.domains.exchange.model import Outcome, PayoutReturn
from yibao.kernel.actor import Actor
from yibao.usecases.payouts.take_payout_return import take_payout_return

PAPERS = {
    "outpatient": ("identity", "bill", "fee_list", "medical_record"),
    "inpatient": ("identity", "bill", "fee_list", "medical_record"),
    "assisted": ("identity", "bill", "medical_record", "assistance_proof"),
    "maternity": ("bill", "fee_list", "medical_record", "maternity_form"),
}
"""The papers that the national list asks for, by kind of claim."""
PAYEE = {"payee_name": "本人", "bank_name": "示范银行", "bank_account": "6222000011112222"}
_numbers = itertools.count(1)


def papers(kind: str, *, without: str = "") -> list[dict[str, str]]:
    """Return every paper of a kind of claim, but one."""
    return [
        {"material": name, "file_name": f"{name}.pdf", "content": base64.b64encode(name.encode()).decode()}
        for name in PAPERS[kind] if name != without
    ]


def line(item: dict[str, Any], yuan: int, *, quantity: int = 1, on: str | None = None) -> dict[str, Any]:
    """Return a line of a receipt's list: so many pieces that together cost so many yuan."""
    return {
        "item_code": item["med_list_codg"], "item_name": "按清单", "amount_fen": yuan * 100,
        "price_micro": yuan * 1_000_000 // quantity, "quantity_e4": quantity * 10_000,
        **({"occurred_on": on} if on else {}),
    }


def outside_stay(
    begin: str, end: str, lines: Sequence[dict[str, Any]], *, place: str = "110100", remote: str = "unregistered", **more: Any
) -> dict[str, Any]:
    """Return a receipt of a stay at a hospital of the third level that no platform here knows."""
    return {
        "bill_no": f"BJ{next(_numbers):08d}", "care": "stay", "med_type": "21", "institution_name": "京城第三医院",
        "level": "3", "care_admdvs": place, "remote": remote, "begin_at": f"{begin}T09:00:00+08:00",
        "end_at": f"{end}T10:00:00+08:00", "total_fen": sum(x["amount_fen"] for x in lines), "disease_code": "J18.900",
        "disease_name": "肺炎", "lines": list(lines), **more,
    }


class ClaimsOffice:
    """Clerks of one region: intake, review, approval, payment."""

    def __init__(self, city: City, region: str = "370300") -> None:
        self.city, self.region = city, region
        self.intake, self.review, self.approval, self.pay = (
            city.hall(post, region) for post in ("intake", "review", "approve", "pay"))

    def claim(self, patient: dict[str, Any], bills: Sequence[dict[str, Any]], **more: Any) -> dict[str, Any]:
        """Return a claim as it is handed in."""
        kind = more.get("kind", "inpatient")
        return {
            "psn_no": patient["psn_no"], "kind": kind, "insutype": patient["insutype"], "cause": "window",
            "bills": list(bills), "materials": papers(kind), **PAYEE, **more,
        }

    def open(self, patient: dict[str, Any], bills: Sequence[dict[str, Any]], **more: Any) -> dict[str, Any]:
        """Hand a claim in."""
        return self.intake.do("/claims", self.claim(patient, bills, **more))

    def refused(self, patient: dict[str, Any], bills: Sequence[dict[str, Any]], **more: Any) -> dict[str, Any]:
        """Hand a claim in that must be refused."""
        return self.intake.refused("/claims", self.claim(patient, bills, **more))

    def accept(self, claim: dict[str, Any]) -> dict[str, Any]:
        """Accept the application of a claim; its clock starts."""
        return self.intake.do(f"/applications/{claim['application_id']}/accept", {})

    def calculate(self, claim: dict[str, Any]) -> dict[str, Any]:
        """Calculate a claim."""
        return self.review.do(f"/claims/{claim['claim_id']}/calculate")

    def decide(self, claim: dict[str, Any]) -> dict[str, Any]:
        """Review and approve a claim that was calculated."""
        self.review.do(f"/applications/{claim['application_id']}/review", {"says": "材料与明细相符"})
        return self.approval.do(f"/applications/{claim['application_id']}/approve", {"says": "同意"})

    def settle(self, patient: dict[str, Any], bills: Sequence[dict[str, Any]], **more: Any) -> dict[str, Any]:
        """Take a claim from intake to approval and return it as it stands then."""
        claim = self.open(patient, bills, **more)
        self.accept(claim)
        self.calculate(claim)
        self.decide(claim)
        return self.show(claim)

    def show(self, claim: dict[str, Any]) -> dict[str, Any]:
        """Return a claim with receipts and detail."""
        return self.intake.read(f"/claims/{claim['claim_id']}")

    def send_to_bank(self) -> str:
        """Make a payment file and send it; two people."""
        made = self.review.do("/payout-files", {"admdvs": self.region})
        self.pay.do(f"/payout-files/{made['file_id']}/send", {})
        return str(made["file_id"])

    def bank_answers(self, file_id: str, *, code: str = "00", reason: str = "") -> None:
        """Let the bank answer every line of a file alike, and follow what became of the applications."""
        rows = self.city.fetch("select line_id, amount_fen from exchange.payout_line where file_id = $1 order by 1", file_id)
        text = "".join(sorted(f"{r['line_id']},{code},{r['amount_fen']}\n" for r in rows))
        told = PayoutReturn(
            file_id=file_id, count=len(rows), digest=hashlib.new("sm3", text.encode()).hexdigest(),
            rows=tuple(Outcome(line_id=r["line_id"], code=code, amount_fen=r["amount_fen"], bank_ref=f"B{r['line_id']}",
                               reason=reason) for r in rows))
        self.city.do(take_payout_return, told, actor=Actor(login="party:bank", channel="exchange", regions=(self.region,)))
        self.review.do(f"/regions/{self.region}/applications/follow", {})
