"""Put a checked and signed prescription in force (7103), or make one void (7104)."""

from __future__ import annotations

from datetime import datetime

import asyncpg
import msgspec

from yibao.domains.dispensing import prescriptions_operations as operations
from yibao.domains.dispensing import prescriptions_queries as queries
from yibao.domains.dispensing.dispensed_queries import has_dispensed
from yibao.domains.dispensing.prescriptions_model import CANCELLED, CHECKED, VALID, Prescription
from yibao.domains.institutions.model import Institution
from yibao.domains.institutions.staff import registered_practitioners
from yibao.domains.people.queries import find_person
from yibao.infra.database import Connection
from yibao.infra.digest import sm3
from yibao.kernel.business_time import business_date, to_wire
from yibao.kernel.refusal import Fault, Refusal, refuse
from yibao.usecases.prescriptions.check_prescription import patient_faults
from yibao.usecases.prescriptions.sign_prescription import decoded_file, is_vouched_for


class UploadCommand(msgspec.Struct, frozen=True):
    """A signed prescription.

    Attributes:
        file: the signed file as Base64 text; sign_value: what 7102 answered for it.
        reviewed_at: when the hospital's own pharmacist approved it.
        addition: JSON object of what else was sent, for whoever asks for the prescription.
    """

    hi_rxno: str
    trace_code: str
    mdtrt_id: str
    name: str
    cert_type: str
    certno: str
    doctor_code: str
    pharmacist_code: str
    reviewed_at: datetime
    file: str
    sign_value: str
    addition: str


async def upload_prescription(
    tx: Connection, *, command: UploadCommand, institution: Institution, now: datetime
) -> asyncpg.Record | Refusal:
    """Put a prescription in force and return it as it was before, or refuse with every fault."""
    found = await own_prescription(tx, command.hi_rxno, institution)
    if isinstance(found, Refusal):
        return found
    refusal = refuse_unless_alive(found, now=now)
    if refusal is None and found["state"] == VALID:
        refusal = refuse("PRESCRIPTION_UPLOADED", "处方已经上传", field="data.hiRxno", received=command.hi_rxno,
                         remedy="无需重复上传，可用7105查询")
    content = decoded_file(command.file, field="data.rxFile") if refusal is None else refusal
    if isinstance(content, Refusal):
        return content
    faults = _content_faults(found, command)
    faults += patient_faults(
        await find_person(tx, found["psn_no"]), name=command.name, cert_type=command.cert_type, certno=command.certno,
        node="data",
    )
    faults += await _signature_faults(tx, command, institution, content)
    pharmacists = await registered_practitioners(
        tx, institution.fixmedins_code, codes=[command.pharmacist_code], on=business_date(command.reviewed_at)
    )
    if not pharmacists:
        faults.append(Fault("PHARMACIST_NOT_REGISTERED", "审方药师当日未在本机构登记", "data.pharCode",
                            command.pharmacist_code, "请用5102查询本机构已登记药师"))
    if faults:
        return Refusal(tuple(faults))
    await operations.put_in_force(
        tx, psn_no=found["psn_no"], hi_rxno=command.hi_rxno, fixmedins_code=institution.fixmedins_code,
        sign_value=command.sign_value, file=content, file_digest=sm3(content), addition=command.addition, now=now,
    )
    return found


async def put_in_force_unsigned(
    tx: Connection, prescription: Prescription, *, file: bytes, addition: str, now: datetime
) -> None:
    """Put a prescription in force that came in the form of 2021, where the hospital signs by itself."""
    await operations.put_in_force(
        tx, psn_no=prescription.psn_no, hi_rxno=prescription.hi_rxno, fixmedins_code=prescription.fixmedins_code,
        sign_value="", file=file, file_digest=sm3(file), addition=addition, now=now,
    )


async def cancel_prescription(
    tx: Connection, *, hi_rxno: str, institution: Institution, now: datetime
) -> asyncpg.Record | Refusal:
    """Make a prescription void of which nothing was dispensed, and return it as it was before."""
    found = await own_prescription(tx, hi_rxno, institution)
    if isinstance(found, Refusal):
        return found
    refusal = refuse_unless_alive(found, now=now)
    if refusal is not None:
        return refusal
    if await has_dispensed(tx, psn_no=found["psn_no"], hi_rxno=hi_rxno):
        return refuse("PRESCRIPTION_USED", "处方已有药品调配，不能撤销", field="data.hiRxno", received=hi_rxno,
                      remedy="请先由药店撤销结算（2103）和出库明细（7208）")
    await operations.cancel_prescription(tx, psn_no=found["psn_no"], hi_rxno=hi_rxno, now=now)
    return found


async def own_prescription(
    tx: Connection, hi_rxno: str, institution: Institution, *, lock: bool = True
) -> asyncpg.Record | Refusal:
    """Return a prescription of this institution, or refuse."""
    found = await queries.find_prescription(tx, hi_rxno, lock=lock)
    if found is None:
        return refuse("PRESCRIPTION_NOT_FOUND", "平台上没有这张电子处方", field="data.hiRxno", received=hi_rxno,
                      remedy="请核对医保处方编号")
    if found["fixmedins_code"] != institution.fixmedins_code:
        return refuse("PRESCRIPTION_NOT_OURS", "这张处方不是本机构开具的", field="data.hiRxno", received=hi_rxno,
                      remedy="请由开方机构办理")
    return found


def refuse_unless_alive(found: asyncpg.Record, *, now: datetime, field: str = "data.hiRxno") -> Refusal | None:
    """Refuse a prescription that is cancelled or has expired."""
    if found["state"] == CANCELLED:
        return refuse("PRESCRIPTION_CANCELLED", "处方已撤销", field=field, received=found["hi_rxno"],
                      remedy="请重新开方")
    if found["valid_until"] < now:
        return refuse("PRESCRIPTION_EXPIRED", f"处方已于{to_wire(found['valid_until'])}失效", field=field,
                      received=found["hi_rxno"], remedy="请重新开方")
    return None


def refuse_unless_uploaded(found: asyncpg.Record, *, field: str = "data.hiRxno") -> Refusal | None:
    """Refuse a prescription that was checked only."""
    if found["state"] == CHECKED:
        return refuse("PRESCRIPTION_NOT_UPLOADED", "处方尚未签名上传", field=field, received=found["hi_rxno"],
                      remedy="请先由开方机构用7102签名、7103上传")
    return None


def _content_faults(found: asyncpg.Record, command: UploadCommand) -> list[Fault]:
    faults = []
    if command.trace_code != found["trace_code"]:
        faults.append(Fault("TRACE_CODE_DIFFERS", "处方追溯码与预核验返回的不一致", "data.rxTraceCode", command.trace_code,
                            "请使用7101返回的处方追溯码"))
    if command.mdtrt_id != found["mdtrt_id"]:
        faults.append(Fault("ENCOUNTER_DIFFERS", "医保就诊ID与预核验时不一致", "data.mdtrtId", command.mdtrt_id,
                            "请核对就诊ID"))
    prescriber = msgspec.json.decode(found["document"])["mdtrtinfo"].get("drCode", "")
    if command.doctor_code != prescriber:
        faults.append(Fault("DOCTOR_DIFFERS", "开方医师与预核验时不一致", "data.drCode", command.doctor_code,
                            "请核对开方医师"))
    return faults


async def _signature_faults(
    tx: Connection, command: UploadCommand, institution: Institution, content: bytes
) -> list[Fault]:
    signed = await queries.find_signature(
        tx, fixmedins_code=institution.fixmedins_code, sign_value=command.sign_value
    )
    if signed is None:
        return [Fault("SIGNATURE_NOT_FOUND", "平台没有为本机构签过这个签名值", "data.signDigest",
                      command.sign_value[:20], "请先用7102签名，并原样上传返回的签名值")]
    if signed["hi_rxno"] not in (None, command.hi_rxno):
        return [Fault("SIGNATURE_USED", f"这个签名已用于处方{signed['hi_rxno']}", "data.signDigest",
                      command.sign_value[:20], "每张处方须单独签名")]
    if not is_vouched_for(signed, content):
        return [Fault("FILE_DIFFERS", "处方文件与签名时不同", "data.rxFile", remedy="请上传7102返回的处方文件")]
    return []
