"""E-prescriptions from the hospital's desk to the pharmacy's counter, each step read back."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from typing import Any

import asyncpg
import pytest

from tests.spec.pharmacy.conftest import Item
from tests.support.drugstore import Drugstore, Prescriber
from tests.support.till import Refused
from yibao.infra import sm2

Patient = Mapping[str, Any]


@pytest.mark.drives("7101", "7102", "7103", "7105", "7203", "7204", "7205", "7206", "7106", "7207", "7107", "7208")
def test_a_prescription_goes_from_the_desk_to_the_counter(
    prescriber: Prescriber, drugstore: Drugstore, patient: Patient, drugs: list[Item]
) -> None:
    rx = prescriber.prescribe(patient, [(drugs[0], 2), (drugs[1], 1.5)])
    shown = prescriber.ask("7105", patient, rx)
    assert shown["data"]["hiRxno"] == rx["hiRxno"]
    assert (shown["data"]["rxStasCodg"], shown["data"]["rxUsedStasCodg"]) == ("1", "1")
    assert [(d["medListCodg"], d["drugCnt"]) for d in shown["rxDetlList"]] == [
        (drugs[0]["med_list_codg"], 2), (drugs[1]["med_list_codg"], 1.5),
    ]
    assert shown["rxOtpinfo"]["patnName"] == patient["psn_name"]
    assert shown["rxDiseList"][0]["diagCode"] == patient["visit"]["diag_code"]

    accepted = drugstore.accept(rx)
    review = prescriber.ask("7106", patient, rx)["data"]
    assert (review["rxChkStasCodg"], review["rxChkOpnn"], review["pharCode"]) == ("1", "同意", drugstore.pharmacist)

    serial = drugstore.hand_out(rx, accepted, drugs[0], 2, flag="0")
    told = prescriber.ask("7107", patient, rx)
    assert told["data"]["rxUsedStasCodg"] == "2"
    assert [(d["medListCodg"], d["cnt"]) for d in told["seltdelts"]] == [(drugs[0]["med_list_codg"], 2)]
    drugstore.take_back(rx["hiRxno"], serial)
    assert prescriber.ask("7107", patient, rx)["data"]["rxUsedStasCodg"] == "1"


@pytest.mark.drives("7201", "7204")
def test_the_newest_open_prescription_is_found_by_document(
    prescriber: Prescriber, drugstore: Drugstore, patient: Patient, drugs: list[Item]
) -> None:
    prescriber.prescribe(patient, [(drugs[0], 1)])
    newer = prescriber.prescribe(patient, [(drugs[2], 1)])
    grant = drugstore.authorise(patient)
    told = drugstore.download(grant)
    assert told["data"]["hiRxno"] == newer["hiRxno"]
    assert told["data"]["rxFile"] == newer["rxFile"]
    assert grant["fixmedinsCode"] == prescriber.till.counter.fixmedins_code


@pytest.mark.drives("7202", "7204")
def test_a_prescription_sent_online_is_found_by_its_number(
    prescriber: Prescriber, drugstore: Drugstore, patient: Patient, drugs: list[Item]
) -> None:
    rx = prescriber.prescribe(patient, [(drugs[0], 1)])
    grant = drugstore.authorise_sent(rx["hiRxno"])
    assert drugstore.download(grant)["data"]["hiRxno"] == rx["hiRxno"]


@pytest.mark.drives("7104", "7105")
def test_a_cancelled_prescription_is_void(
    prescriber: Prescriber, drugstore: Drugstore, patient: Patient, drugs: list[Item]
) -> None:
    rx = prescriber.prescribe(patient, [(drugs[0], 1)])
    assert prescriber.cancel(rx["hiRxno"])["rxStasCodg"] == "3"
    assert prescriber.ask("7105", patient, rx)["data"]["rxStasCodg"] == "3"
    with pytest.raises(Refused, match="处方已撤销"):
        drugstore.authorise_sent(rx["hiRxno"])


@pytest.mark.drives("7205")
def test_a_changed_file_is_not_verified(
    prescriber: Prescriber, drugstore: Drugstore, patient: Patient, drugs: list[Item]
) -> None:
    rx = prescriber.prescribe(patient, [(drugs[0], 1)])
    grant = drugstore.authorise_code(rx["rxTraceCode"])
    told = drugstore.download(grant)["data"]
    changed = ("A" if told["rxFile"][0] != "A" else "B") + told["rxFile"][1:]
    answer = drugstore.verify({**rx, "rxFile": changed}, grant)
    assert answer["flag"] is False
    assert answer["rxSignVerifySn"]  # every verification has a number; that of another file opens no review
    for number in (answer["rxSignVerifySn"], "1"):
        with pytest.raises(Refused, match="尚未验签"):
            drugstore.review(rx["hiRxno"], grant, number)
    verified = drugstore.verify({**rx, "rxFile": told["rxFile"]}, grant)
    assert verified["flag"] is True
    again = drugstore.verify({**rx, "rxFile": changed}, grant)
    assert (again["flag"], again["rxSignVerifySn"] == verified["rxSignVerifySn"]) == (False, False)
    with pytest.raises(Refused, match="尚未验签"):
        drugstore.review(rx["hiRxno"], grant, again["rxSignVerifySn"])
    drugstore.review(rx["hiRxno"], grant, verified["rxSignVerifySn"])


@pytest.mark.drives("7102", "7205")
async def test_the_signature_is_the_platforms_own_and_verified_with_its_key(
    prescriber: Prescriber, drugstore: Drugstore, patient: Patient, drugs: list[Item], world_url: str
) -> None:
    """SM2 where the machine has it: over the institution's code and the SM3 digests of text and file."""
    rx = prescriber.prescribe(patient, [(drugs[0], 1)])
    grant = drugstore.authorise_code(rx["rxTraceCode"])
    drugstore.download(grant)
    told = drugstore.verify(rx, grant)
    assert told["flag"] is True
    connection = await asyncpg.connect(world_url)
    row = await connection.fetchrow("select * from dispensing.signature where hi_rxno = $1", rx["hiRxno"])
    await connection.close()
    assert row is not None
    code = prescriber.till.counter.fixmedins_code.encode()
    digests = [hashlib.new("sm3", x).digest() for x in (f"处方{rx['hiRxno']}".encode(), base64.b64decode(rx["rxFile"]))]
    value = base64.b64decode(row["sign_value"])
    if sm2.available():
        assert told["signCertSn"] == hashlib.new("sm3", row["public_key"].encode()).hexdigest()
        assert sm2.is_signed(row["public_key"].encode(), code + b"".join(digests), value)
    else:
        assert (told["signCertSn"], value) == ("NONE", hashlib.new("sm3", code + b"".join(digests)).digest())


@pytest.mark.drives("7211")
def test_drugs_are_listed_by_name_and_page(drugstore: Drugstore, drugs: list[Item]) -> None:
    content = {"fixmedinsCode": drugstore.till.counter.fixmedins_code, "medListCodg": drugs[0]["med_list_codg"],
               "pageNum": 1, "pageSize": 10}
    answer = drugstore.till.call("7211", {"data": content})
    assert answer["data"] == {"total": 1, "size": 1}
    assert (answer["list"][0]["medListCodg"], answer["list"][0]["oppoolFlag"]) == (drugs[0]["med_list_codg"], "1")
    page = drugstore.till.call("7211", {"data": {**content, "medListCodg": "", "dualchnlFlag": "1"}})
    assert page["data"]["total"] > 10
    assert len(page["list"]) == 10
    assert {row["dualchnlFlag"] for row in page["list"]} == {"1"}
    with pytest.raises(Refused, match="每页1至100条"):
        drugstore.till.call("7211", {"data": {**content, "pageSize": 101}})


async def test_the_database_itself_holds_what_is_prescribed(
    prescriber: Prescriber, patient: Patient, drugs: list[Item], world_url: str
) -> None:
    rx = prescriber.prescribe(patient, [(drugs[0], 2)])
    connection = await asyncpg.connect(world_url)
    try:
        await connection.execute(
            "insert into dispensing.dispensed values ($1, 'M', '1', '370300', $2, $3, 'P', 20001, now(), 'taken')",
            patient["psn_no"], rx["hiRxno"], drugs[0]["med_list_codg"],
        )
        with pytest.raises(asyncpg.CheckViolationError):
            await connection.execute("select dispensing.count_taken($1, $2)", patient["psn_no"], [rx["hiRxno"]])
        await connection.execute("delete from dispensing.dispensed where mdtrt_id = 'M'")
    finally:
        await connection.close()
