"""Every state of a prescription and of a sale against every transaction: what is allowed happens, nothing else does."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import asyncpg
import pytest

from tests.spec.pharmacy.conftest import Item
from tests.support.drugstore import Drugstore, Prescriber, sold
from tests.support.till import Refused, new_msgid

Patient = Mapping[str, Any]
OK = "ok"
REASONS = {
    "PRESCRIPTION_NOT_UPLOADED": "处方尚未签名上传", "PRESCRIPTION_UPLOADED": "处方已经上传",
    "PRESCRIPTION_CANCELLED": "处方已撤销",
    "PRESCRIPTION_EXPIRED": "失效", "PRESCRIPTION_USED": "处方已有药品调配", "NOT_REVIEWED_YET": "还没有药店审核",
    "AUTHORISATION_NOT_FOUND": "本机构没有这个处方授权", "TOKEN_UNKNOWN": "电子处方令牌",
    "PRESCRIPTION_NOT_DOWNLOADED": "处方尚未下载", "PRESCRIPTION_NOT_VERIFIED": "处方文件尚未验签",
    "REVIEW_NOT_FOUND": "本机构没有这个审核业务流水号", "HANDED_OUT_NOT_FOUND": "没有可撤销的出库明细",
    "PRESCRIPTION_NOT_REVIEWED": "本机构药师尚未审方", "PRESCRIPTION_REVIEW_FAILED": "审方未通过",
    "PRESCRIPTION_USED_UP": "全部取完", "SETTLEMENT_NOT_FOUND": "没有该参保人这次就诊的这笔结算",
    "ALREADY_CANCELLED": "这笔结算已经撤销", "SETTLEMENT_OF_OTHER_KIND": "不能撤销这种结算",
    "ENCOUNTER_CANCELLED": "已撤销",
    "NOT_A_VISIT": "药店购药",
}
"""What a refusal of each code says; the codes themselves do not travel."""

# What is allowed in each state of a prescription; elsewhere the named refusal, and the database as it was.
TRANSACTIONS = (
    "7103", "7104", "7105", "7106", "7107", "7202", "7203", "7204", "7205", "7206", "7207", "7208", "2101", "2102",
)
UNFIT = {"7202": "{}", "7203": "{}", "7205": "{}", "7206": "{}", "2101": "{}", "2102": "{}"}


def unfit(code: str) -> dict[str, str]:
    """Return what a prescription that may not be dispensed answers to a pharmacy."""
    return {name: reason.format(code) for name, reason in UNFIT.items()}


SHOWN = {"7105": OK, "7107": OK}
UNREVIEWED = {"7106": "NOT_REVIEWED_YET", "7207": "REVIEW_NOT_FOUND", "2101": "PRESCRIPTION_NOT_REVIEWED",
              "2102": "PRESCRIPTION_NOT_REVIEWED"}
IN_FORCE = {"7103": "PRESCRIPTION_UPLOADED", "7104": OK, **SHOWN, "7202": OK, "7203": OK, "7208": "HANDED_OUT_NOT_FOUND"}
PAIRS: dict[str, dict[str, str]] = {
    "checked": {
        "7103": OK, "7104": OK, "7105": "PRESCRIPTION_NOT_UPLOADED", "7106": "PRESCRIPTION_NOT_UPLOADED",
        "7107": "PRESCRIPTION_NOT_UPLOADED", **unfit("PRESCRIPTION_NOT_UPLOADED"), "7204": "AUTHORISATION_NOT_FOUND",
        "7207": "REVIEW_NOT_FOUND", "7208": "HANDED_OUT_NOT_FOUND",
    },
    "valid": {
        **IN_FORCE, **UNREVIEWED, "7204": "AUTHORISATION_NOT_FOUND", "7205": "TOKEN_UNKNOWN", "7206": "TOKEN_UNKNOWN",
    },
    "granted": {
        **IN_FORCE, **UNREVIEWED, "7204": OK, "7205": "PRESCRIPTION_NOT_DOWNLOADED", "7206": "PRESCRIPTION_NOT_VERIFIED",
    },
    "downloaded": {**IN_FORCE, **UNREVIEWED, "7204": OK, "7205": OK, "7206": "PRESCRIPTION_NOT_VERIFIED"},
    "verified": {**IN_FORCE, **UNREVIEWED, "7204": OK, "7205": OK, "7206": OK},
    "passed": {
        **IN_FORCE, "7106": OK, "7204": OK, "7205": OK, "7206": OK, "7207": OK, "2101": OK, "2102": OK,
    },
    "failed": {
        **IN_FORCE, "7106": OK, "7204": OK, "7205": OK, "7206": OK, "7207": "PRESCRIPTION_REVIEW_FAILED",
        "2101": "PRESCRIPTION_REVIEW_FAILED", "2102": "PRESCRIPTION_REVIEW_FAILED",
    },
    "partly": {
        **IN_FORCE, "7104": "PRESCRIPTION_USED", "7106": OK, "7204": OK, "7205": OK, "7206": OK, "7207": OK, "2101": OK,
        "2102": OK,
    },
    "used": {
        **IN_FORCE, "7104": "PRESCRIPTION_USED", "7106": OK, "7202": "PRESCRIPTION_USED_UP",
        "7203": "PRESCRIPTION_USED_UP", "7204": OK, "7205": OK, "7206": OK,
        "7207": OK,  # the details of what the bill has settled
        "2101": "PRESCRIPTION_USED_UP", "2102": "PRESCRIPTION_USED_UP",
    },
    "cancelled": {
        "7103": "PRESCRIPTION_CANCELLED", "7104": "PRESCRIPTION_CANCELLED", **SHOWN, "7106": OK,
        **unfit("PRESCRIPTION_CANCELLED"), "7204": "PRESCRIPTION_CANCELLED", "7207": "PRESCRIPTION_CANCELLED",
        "7208": "HANDED_OUT_NOT_FOUND",
    },
    "expired": {
        "7103": "PRESCRIPTION_EXPIRED", "7104": "PRESCRIPTION_EXPIRED", **SHOWN, "7106": OK,
        **unfit("PRESCRIPTION_EXPIRED"), "7204": "PRESCRIPTION_EXPIRED", "7207": "PRESCRIPTION_EXPIRED",
        "7208": "HANDED_OUT_NOT_FOUND",
    },
}
NO_GRANT = {"epcToken": "none", "authRxno": "0", "rxChkBizSn": "0"}


class Stage:
    """A prescription brought to a state, and the acts that may be tried on it."""

    def __init__(self, prescriber: Prescriber, drugstore: Drugstore, patient: Patient, drug: Item) -> None:
        self.prescriber, self.drugstore, self.patient, self.drug = prescriber, drugstore, patient, drug
        self.mdtrt_id = prescriber.visit(patient)
        self.numbers = prescriber.check(prescriber.content(patient, [(drug, 2)], mdtrt_id=self.mdtrt_id))
        self.rx: dict[str, Any] = {**self.numbers, "mdtrtId": self.mdtrt_id, "rxFile": "eA=="}
        self.grant: dict[str, Any] = dict(NO_GRANT)
        self.verify_sn = "0"

    def upload(self) -> None:
        """Sign and upload."""
        signed = self.prescriber.sign(self.rx["hiRxno"])
        self.rx["rxFile"] = signed["rxFile"]
        content = self.prescriber.uploading(self.patient, self.numbers, signed, mdtrt_id=self.mdtrt_id)
        self.prescriber.till.call("7103", content)

    def to(self, state: str) -> Stage:
        """Go on to a state by the natural way."""
        if state == "checked":
            return self
        self.upload()
        if state == "valid":
            return self
        self.grant |= self.drugstore.authorise_code(self.rx["rxTraceCode"])
        if state == "granted":
            return self
        self.drugstore.download(self.grant)
        if state == "downloaded":
            return self
        self.verify_sn = self.drugstore.verify(self.rx, self.grant)["rxSignVerifySn"]
        if state == "verified":
            return self
        self.grant["rxChkBizSn"] = self.drugstore.review(
            self.rx["hiRxno"], self.grant, self.verify_sn, passed=state != "failed"
        )
        if state in ("partly", "used"):
            self.drugstore.sell(self.patient, [sold(self.drug, 1 if state == "partly" else 2, rxno=self.rx["hiRxno"])])
        if state == "cancelled":
            self.prescriber.cancel(self.rx["hiRxno"])
        return self

    def act(self, infno: str) -> object:
        """Send one transaction on the prescription."""
        number, store = self.rx["hiRxno"], self.drugstore
        line = [sold(self.drug, 1, rxno=number)]
        acts: dict[str, Callable[[], object]] = {
            "7103": self.upload, "7104": lambda: self.prescriber.cancel(number),
            "7202": lambda: store.authorise_sent(number), "7203": lambda: store.authorise_code(self.rx["rxTraceCode"]),
            "7204": lambda: store.download(self.grant), "7205": lambda: store.verify(self.rx, self.grant),
            "7206": lambda: store.review(number, self.grant, self.verify_sn),
            "7207": lambda: store.hand_out(self.rx, self.grant, self.drug, 1), "7208": lambda: store.take_back(number),
            "2101": lambda: store.quote(self.patient, line), "2102": lambda: store.sell(self.patient, line),
        }
        if infno in acts:
            return acts[infno]()
        return self.prescriber.ask(infno, self.patient, self.rx)


async def _kept(url: str, psn_no: str) -> list[Any]:
    """Return everything the database keeps that these transactions could change for a person."""
    connection = await asyncpg.connect(url)
    try:
        found = []
        for table in ("people.person", "ledger.personal_account", "ledger.posting", "settlements.settlement",
                      "settlements.counter", "encounters.encounter", "encounters.fee_line", "dispensing.prescription",
                      "dispensing.prescription_line", "dispensing.authorisation", "dispensing.dispensed",
                      "dispensing.handed_out"):
            rows = await connection.fetch(f"select t::text from {table} t where psn_no = $1 order by 1", psn_no)
            found.append([row[0] for row in rows])
        return found
    finally:
        await connection.close()


@pytest.mark.parametrize("state", PAIRS)
@pytest.mark.drives("7103", "7104", "7202", "7203", "7204", "7205", "7206", "7207", "7208", "2101", "2102")
async def test_each_state_of_a_prescription_takes_what_is_allowed_and_refuses_the_rest(
    state: str, prescriber: Prescriber, drugstore: Drugstore, patient: Patient, drugs: list[Item], world_url: str
) -> None:
    expected = PAIRS[state]
    assert set(expected) == set(TRANSACTIONS), "the table must name every pair"

    async def stage() -> Stage:
        made = Stage(prescriber, drugstore, patient, drugs[0]).to(state)
        if state == "expired":
            connection = await asyncpg.connect(world_url)
            await connection.execute(
                "update dispensing.prescription set prescribed_at = now() - interval '9 days', "
                "valid_until = now() - interval '1 day' where hi_rxno = $1", made.rx["hiRxno"],
            )
            await connection.close()
        return made

    refusing = await stage()
    before = await _kept(world_url, patient["psn_no"])
    for infno in TRANSACTIONS:
        if expected[infno] != OK:
            with pytest.raises(Refused, match=REASONS[expected[infno]]):
                refusing.act(infno)
    assert await _kept(world_url, patient["psn_no"]) == before
    for infno in TRANSACTIONS:
        if expected[infno] == OK:
            assert (await stage()).act(infno) is not False


# ── a sale ──

SALE_PAIRS = {
    "sold": {
        "2103": OK, "2601/2102": OK, "2601/2103": OK, "2208": "SETTLEMENT_OF_OTHER_KIND", "2305": "SETTLEMENT_OF_OTHER_KIND",
        "2202": "", "2203A": "", "2204": "", "2205": "", "2206": "", "2207": "",
    },
    "refunded": {
        "2103": "ALREADY_CANCELLED", "2601/2102": OK, "2601/2103": OK, "2208": "SETTLEMENT_OF_OTHER_KIND",
        "2305": "SETTLEMENT_OF_OTHER_KIND", "2202": "", "2203A": "", "2204": "", "2205": "", "2206": "", "2207": "",
    },
    "reinstated": {
        "2103": OK, "2601/2102": OK, "2601/2103": OK, "2208": "SETTLEMENT_OF_OTHER_KIND", "2305": "SETTLEMENT_OF_OTHER_KIND",
        "2202": "", "2203A": "", "2204": "", "2205": "", "2206": "", "2207": "",
    },
}
"""OK, the reason's code, or ``""``: refused, whatever is said first of an encounter that is no visit."""
SALE_EFFECTS = {
    ("sold", "2103"): False, ("sold", "2601/2102"): False, ("sold", "2601/2103"): True,
    ("refunded", "2601/2102"): False, ("refunded", "2601/2103"): True,
    ("reinstated", "2103"): False, ("reinstated", "2601/2102"): False, ("reinstated", "2601/2103"): True,
}
"""Whether the sale stands after an allowed transaction; undoing a message that is unknown or undone has no effect."""


class SaleStage:
    """A sale on a prescription brought to a state."""

    def __init__(self, prescriber: Prescriber, drugstore: Drugstore, patient: Patient, drug: Item) -> None:
        self.drugstore, self.patient, self.drug = drugstore, patient, drug
        rx = prescriber.prescribe(patient, [(drug, 1)])
        drugstore.accept(rx)
        self.number = rx["hiRxno"]
        self.sale_id, self.refund_id = new_msgid(), new_msgid()
        self.sale = drugstore.sell(patient, [sold(drug, 1, rxno=self.number)], msgid=self.sale_id)

    def to(self, state: str) -> SaleStage:
        """Go on to a state by the natural way."""
        if state != "sold":
            self.drugstore.refund(self.patient, self.sale, msgid=self.refund_id)
        if state == "reinstated":
            self.undo(self.refund_id, "2103")
        return self

    def undo(self, omsgid: str, oinfno: str) -> None:
        """Undo a message (2601)."""
        content = {"data": {"psn_no": self.patient["psn_no"], "omsgid": omsgid, "oinfno": oinfno}}
        self.drugstore.till.call("2601", content)

    def act(self, name: str) -> object:
        """Send one transaction on the sale or on its encounter."""
        till, info, p = self.drugstore.till, self.sale["setlinfo"], self.patient
        key = {"psn_no": p["psn_no"], "mdtrt_id": info["mdtrt_id"]}
        visit = {**p["visit"], "med_type": "11", "dise_codg": "", "lines": [sold(self.drug, 1, rxno=self.number)]}
        if name.startswith("2601"):
            oinfno = name.partition("/")[2]
            return self.undo(self.sale_id if oinfno == "2102" else self.refund_id, oinfno)
        acts: dict[str, Callable[[], object]] = {
            "2103": lambda: self.drugstore.refund(p, self.sale),
            "2208": lambda: till.call("2208", {"data": {**key, "setl_id": info["setl_id"]}}),
            "2305": lambda: till.call("2305", {"data": {**key, "setl_id": info["setl_id"]}}),
            "2202": lambda: till.call("2202", {"data": {**key, "ipt_otp_no": info["mdtrt_id"]}}),
            "2203A": lambda: till.record(p, visit, info["mdtrt_id"]),
            "2204": lambda: till.upload(p, visit, info["mdtrt_id"], batch="2"),
            "2205": lambda: till.call("2205", {"data": {**key, "chrg_bchno": "1"}}),
            "2206": lambda: till.call("2206", till.bill(p, {**visit, "med_type": "41"}, info["mdtrt_id"])),
            "2207": lambda: till.call("2207", till.bill(p, {**visit, "med_type": "41"}, info["mdtrt_id"])),
        }
        return acts[name]()


async def _stands(url: str, sale: SaleStage) -> tuple[bool, bool]:
    """Say whether the sale is in force, and whether its drug counts as taken."""
    connection = await asyncpg.connect(url)
    try:
        return (
            await connection.fetchval(
                "select state = 'active' from settlements.settlement where setl_id = $1", sale.sale["setlinfo"]["setl_id"]
            ),
            await connection.fetchval(
                "select dispensed_e4 = 10000 from dispensing.prescription_line where hi_rxno = $1", sale.number
            ),
        )
    finally:
        await connection.close()


@pytest.mark.parametrize("state", SALE_PAIRS)
@pytest.mark.drives("2102", "2103", "2601")
async def test_each_state_of_a_sale_takes_what_is_allowed_and_refuses_the_rest(
    state: str, prescriber: Prescriber, drugstore: Drugstore, patient: Patient, drugs: list[Item], world_url: str
) -> None:
    refusing = SaleStage(prescriber, drugstore, patient, drugs[0]).to(state)
    before = await _kept(world_url, patient["psn_no"])
    for name, code in SALE_PAIRS[state].items():
        if code != OK:
            with pytest.raises(Refused, match=REASONS[code] if code else "."):
                refusing.act(name)
            assert await _kept(world_url, patient["psn_no"]) == before, f"{state} x {name}"
    for name, code in SALE_PAIRS[state].items():
        if code == OK:
            stage = SaleStage(prescriber, drugstore, patient, drugs[0]).to(state)
            stage.act(name)
            stands = SALE_EFFECTS[state, name]
            assert await _stands(world_url, stage) == (stands, stands), f"{state} x {name}"
