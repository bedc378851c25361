"""What a pharmacy does with a prescription before a drug leaves it: download (7204), verify (7205), review (7206)."""

from __future__ import annotations

from datetime import datetime

import asyncpg
import msgspec

from yibao.domains.dispensing import prescriptions_operations as operations
from yibao.domains.dispensing import prescriptions_queries as queries
from yibao.domains.dispensing.dispensed_queries import list_prescribed
from yibao.domains.dispensing.prescriptions_model import DOWNLOADED, FAILED, GRANTED, PASSED, VERIFIED, Review
from yibao.domains.institutions.directory import list_staff
from yibao.domains.institutions.model import Institution
from yibao.domains.institutions.staff import registered_practitioners
from yibao.infra.database import Connection
from yibao.infra.digest import sm3
from yibao.kernel.business_time import business_date, to_wire
from yibao.kernel.refusal import Fault, Refusal, refuse
from yibao.usecases.prescriptions.authorise_pharmacy import refuse_elsewhere
from yibao.usecases.prescriptions.sign_prescription import decoded_file, is_vouched_for
from yibao.usecases.prescriptions.upload_prescription import refuse_unless_alive, refuse_unless_uploaded

PHARMACIST = "3"
"""The kind of practitioner (``medins_psn_type``) who reviews."""


class Filling(msgspec.Struct, frozen=True):
    """A prescription and the pharmacy's way to it."""

    prescription: asyncpg.Record
    authorisation: asyncpg.Record


class Verified(msgspec.Struct, frozen=True):
    """A verification of a file: its number, whether it is the signed file, PEM of the key that signed, ``""`` if none.

    Every verification has a number; that of another file opens no review.
    """

    verify_sn: str
    is_same: bool
    public_key: str


async def download_prescription(
    tx: Connection, *, auth_rxno: str, token: str, institution: Institution, now: datetime
) -> Filling | Refusal:
    """Hand the prescription to the pharmacy that was let to it."""
    authorisation = await queries.find_authorisation(tx, auth_rxno)
    if authorisation is None or authorisation["fixmedins_code"] != institution.fixmedins_code:
        return refuse("AUTHORISATION_NOT_FOUND", "本机构没有这个处方授权", field="data.authRxno", received=auth_rxno,
                      remedy="请先用7201、7202或7203取得授权")
    found = await queries.find_prescription(tx, authorisation["hi_rxno"])
    assert found is not None
    refusal = _refuse_token(authorisation, token, now=now) or refuse_unless_alive(found, now=now, field="data.authRxno")
    if refusal is not None:
        return refusal
    if authorisation["state"] == GRANTED:
        await operations.advance(tx, psn_no=found["psn_no"], auth_rxno=auth_rxno, state=DOWNLOADED)
    return Filling(found, authorisation)


async def verify_file(
    tx: Connection, *, hi_rxno: str, trace_code: str, file: str, token: str, institution: Institution, verify_sn: str,
    now: datetime,
) -> Verified | Refusal:
    """Say whether a file is the one that was signed."""
    filling = await _filling(tx, hi_rxno, token, institution, now=now)
    if isinstance(filling, Refusal):
        return filling
    authorisation, found = filling.authorisation, filling.prescription
    if authorisation["state"] == GRANTED:
        return refuse("PRESCRIPTION_NOT_DOWNLOADED", "处方尚未下载", field="data.hiRxno", received=hi_rxno,
                      remedy="请先用7204下载处方")
    content = decoded_file(file, field="data.rxFile")
    if isinstance(content, Refusal):
        return content
    signature = await queries.find_signature(
        tx, fixmedins_code=found["fixmedins_code"], sign_value=found["sign_value"]
    )
    # The form of 2021 has no signature of the platform: there the kept digest says it.
    is_same = sm3(content) == found["file_digest"] if signature is None else is_vouched_for(signature, content)
    public_key = signature["public_key"] if signature is not None else ""
    if trace_code != found["trace_code"] or not is_same:
        return Verified(verify_sn, False, public_key)
    if authorisation["verify_sn"] is None:
        await operations.advance(
            tx, psn_no=found["psn_no"], auth_rxno=authorisation["auth_rxno"], state=VERIFIED, verify_sn=verify_sn
        )
    return Verified(authorisation["verify_sn"] or verify_sn, True, public_key)


async def review_prescription(
    tx: Connection, *, hi_rxno: str, token: str, verify_sn: str, review: Review, institution: Institution,
    review_sn: str, now: datetime,
) -> Filling | Refusal:
    """Keep what the pharmacy's pharmacist found; without a passed review nothing is dispensed."""
    filling = await _filling(tx, hi_rxno, token, institution, now=now)
    if isinstance(filling, Refusal):
        return filling
    if filling.authorisation["verify_sn"] is None or filling.authorisation["verify_sn"] != verify_sn:
        return refuse("PRESCRIPTION_NOT_VERIFIED", "处方文件尚未验签，或验签流水号不符", field="data.rxSignVerifySn",
                      received=verify_sn, remedy="请先用7205核验处方，并填写返回的验签流水号")
    return await _keep_review(tx, filling, review, institution, review_sn=review_sn, now=now)


async def review_directly(
    tx: Connection, *, hi_rxno: str, review: Review, certno: str | None, institution: Institution, review_sn: str,
    now: datetime,
) -> Filling | Refusal:
    """Keep a review in the form of 2021; this pharmacy must have downloaded the prescription.

    That form has no token, and names the pharmacist by name and document: the code is looked up.
    """
    staff = await list_staff(
        tx, fixmedins_code=institution.fixmedins_code, kind=PHARMACIST, cert_type=None, certno=certno,
        name=review.pharmacist_name, code=None,
    )
    code = next((s.code for s in staff if s.name == review.pharmacist_name), "")
    review = msgspec.structs.replace(review, pharmacist_code=code)
    found = await queries.find_prescription(tx, hi_rxno, lock=True)
    refusal = _refuse_unfit(found, hi_rxno, institution, now=now)
    if refusal is not None or found is None:
        return refusal or refuse("PRESCRIPTION_NOT_FOUND", "平台上没有这张电子处方")
    authorisation = await queries.find_latest(
        tx, psn_no=found["psn_no"], hi_rxno=hi_rxno, fixmedins_code=institution.fixmedins_code
    )
    if authorisation is None or authorisation["state"] == GRANTED:
        return refuse("PRESCRIPTION_NOT_DOWNLOADED", "处方尚未下载", field="data.hiRxno", received=hi_rxno,
                      remedy="请先下载处方")
    return await _keep_review(tx, Filling(found, authorisation), review, institution, review_sn=review_sn, now=now)


async def _keep_review(
    tx: Connection, filling: Filling, review: Review, institution: Institution, *, review_sn: str, now: datetime
) -> Filling | Refusal:
    found, authorisation = filling.prescription, filling.authorisation
    faults = await _review_faults(tx, found, review, institution, now=now)
    if faults:
        return Refusal(tuple(faults))
    await operations.keep_review(
        tx, psn_no=found["psn_no"], auth_rxno=authorisation["auth_rxno"], state=PASSED if review.is_passed else FAILED,
        review_sn=review_sn, review=review,
    )
    return filling


async def _review_faults(
    tx: Connection, found: asyncpg.Record, review: Review, institution: Institution, *, now: datetime
) -> list[Fault]:
    faults = []
    pharmacists = await registered_practitioners(
        tx, institution.fixmedins_code, codes=[review.pharmacist_code], on=business_date(review.reviewed_at)
    )
    if not pharmacists:
        faults.append(Fault("PHARMACIST_NOT_REGISTERED", "审方药师当日未在本机构登记", "data.pharCode",
                            review.pharmacist_code, "请用5102查询本机构已登记药师"))
    if review.reviewed_at > now:
        faults.append(Fault("REVIEW_IN_FUTURE", "审核时间晚于现在", "data.rxChkTime", to_wire(review.reviewed_at),
                            "请核对审核时间"))
    drugs = await list_prescribed(tx, [found["hi_rxno"]], pharmacy=institution.fixmedins_code)
    if not review.is_passed and any(d.taken_here() for d in drugs):
        faults.append(Fault("REVIEW_TOO_LATE", "本机构已按处方发药，不能再改为审核不通过", "data.rxChkStasCodg", "0",
                            "请先撤销结算（2103）和出库明细（7208）"))
    return faults


async def _filling(
    tx: Connection, hi_rxno: str, token: str, institution: Institution, *, now: datetime
) -> Filling | Refusal:
    found = await queries.find_prescription(tx, hi_rxno, lock=True)
    refusal = _refuse_unfit(found, hi_rxno, institution, now=now)
    if refusal is not None or found is None:
        return refusal or refuse("PRESCRIPTION_NOT_FOUND", "平台上没有这张电子处方")
    authorisation = await queries.find_by_token(
        tx, psn_no=found["psn_no"], hi_rxno=hi_rxno, fixmedins_code=institution.fixmedins_code,
        token_digest=sm3(token.encode()),
    )
    if authorisation is None:
        return refuse("TOKEN_UNKNOWN", "电子处方令牌不是本机构为这张处方取得的", field="data.epcToken",
                      remedy="请先用7201、7202或7203取得令牌")
    return _refuse_token(authorisation, token, now=now) or Filling(found, authorisation)


def _refuse_unfit(
    found: asyncpg.Record | None, hi_rxno: str, institution: Institution, *, now: datetime
) -> Refusal | None:
    if found is None:
        return refuse("PRESCRIPTION_NOT_FOUND", "平台上没有这张电子处方", field="data.hiRxno", received=hi_rxno,
                      remedy="请核对医保处方编号")
    return (
        refuse_elsewhere(found, institution, field="data.hiRxno") or refuse_unless_uploaded(found)
        or refuse_unless_alive(found, now=now)
    )


def _refuse_token(authorisation: asyncpg.Record, token: str, *, now: datetime) -> Refusal | None:
    if sm3(token.encode()) != authorisation["token_digest"]:
        return refuse("TOKEN_UNKNOWN", "电子处方令牌与授权编号不符", field="data.epcToken",
                      remedy="请使用同一次授权返回的令牌和授权编号")
    if authorisation["expires_at"] < now:
        return refuse("TOKEN_EXPIRED", f"电子处方令牌已于{to_wire(authorisation['expires_at'])}过期", field="data.epcToken",
                      remedy="请重新取得授权")
    return None
