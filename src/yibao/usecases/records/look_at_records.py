"""Give records back (4507-4512), and those of other institutions to whom has a right to see them (5401, 5402, 5461)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, time, timedelta

import asyncpg

from yibao.domains.institutions.model import Institution
from yibao.domains.people.queries import find_person
from yibao.domains.records import documents
from yibao.infra.database import Connection
from yibao.kernel.business_time import SHANGHAI, business_date
from yibao.kernel.identity_number import mask, mask_name
from yibao.kernel.refusal import Fault, Refusal, refuse
from yibao.usecases.persons.identify_person import IDENTITY_CARD, SOCIAL_CARD
from yibao.usecases.records.tables import recognition

EXAMINATION, LABORATORY = "4501", "4502"


async def list_records(
    tx: Connection, *, psn_no: str, kind: str, institution: Institution, fixmedins_code: str | None, now: datetime
) -> list[asyncpg.Record] | Refusal:
    """Return a person's valid records of a kind: the asker's own, with a right to look also those of others."""
    own = institution.fixmedins_code
    if fixmedins_code != own and not await _may_look(tx, psn_no=psn_no, fixmedins_code=own, now=now):
        if fixmedins_code is not None:
            return _no_right(psn_no)
        fixmedins_code = own
    return await documents.list_of_person(
        tx, psn_no=psn_no, kinds=[kind], region=institution.region, fixmedins_code=fixmedins_code)


async def _may_look(tx: Connection, *, psn_no: str, fixmedins_code: str, now: datetime) -> bool:
    today = business_date(now)
    since = datetime.combine(today - timedelta(days=recognition().care_days), time(), SHANGHAI)
    return await documents.may_look(tx, psn_no=psn_no, fixmedins_code=fixmedins_code, since=since, today=today)


def _no_right(psn_no: str) -> Refusal:
    days = recognition().care_days
    return refuse("NO_RIGHT_TO_LOOK", f"本机构近{days}天没有该参保人的就诊，也没有其授权，不能查看其他机构的报告",
                  field="psn_no", received=psn_no, remedy="请先登记就诊，或用5461取得参保人授权")


async def list_recognised(
    tx: Connection, *, psn_no: str, institution: Institution, now: datetime
) -> list[asyncpg.Record] | Refusal:
    """Return the reports of other institutions of the region that are recognised today, newest first."""
    if not await _may_look(tx, psn_no=psn_no, fixmedins_code=institution.fixmedins_code, now=now):
        return _no_right(psn_no)
    rows = await documents.list_of_person(
        tx, psn_no=psn_no, kinds=[EXAMINATION, LABORATORY], region=institution.region, fixmedins_code=None)
    today = business_date(now)
    since = {kind: recognition().since(kind, today) for kind in (EXAMINATION, LABORATORY)}
    return [row for row in rows
            if row["fixmedins_code"] != institution.fixmedins_code and _counts(row["told_on"], since[row["kind"]])]


def _counts(told_on: date | None, since: date | None) -> bool:
    return told_on is not None and since is not None and told_on >= since


async def find_recognised(
    tx: Connection, *, psn_no: str, report_no: str, fixmedins_code: str, institution: Institution, now: datetime
) -> asyncpg.Record | Refusal:
    """Return one recognised report of another institution by its number."""
    found = await list_recognised(tx, psn_no=psn_no, institution=institution, now=now)
    if isinstance(found, Refusal):
        return found
    for row in found:
        if row["fixmedins_code"] == fixmedins_code and report_number(row) == report_no:
            return row
    return refuse("REPORT_NOT_FOUND", "该机构没有这份在互认期限内的报告", field="rptdetailinfo.rpotc_no",
                  received=report_no, remedy="请用5401查询可互认的报告")


def report_number(row: asyncpg.Record) -> str:
    """Return the number of a report, else that of its request, "" where it has neither."""
    content = documents.content_of(row)
    head = content.get("examinfo") or content.get("labinfo") or {}
    return str(head.get("rpotc_no") or head.get("appy_no", ""))


async def permit_looking(
    tx: Connection, *, psn_no: str, credential_type: str, credential: str, certno: str, name: str,
    institution: Institution, permit_id: str, opter: str, now: datetime,
) -> Refusal | None:
    """Write that the person, who showed a credential, lets this institution see what others have found."""
    person = await find_person(tx, psn_no)
    faults = _permit_faults(person, psn_no=psn_no, credential_type=credential_type, credential=credential, certno=certno,
                            name=name)
    if faults or person is None:
        return Refusal(tuple(faults))
    await documents.add_permit(
        tx, psn_no=psn_no, permit_id=permit_id, admdvs=person["admdvs"], fixmedins_code=institution.fixmedins_code,
        now=now, valid_to=business_date(now) + timedelta(days=recognition().permit_days), opter=opter,
    )
    return None


def _permit_faults(
    person: asyncpg.Record | None, *, psn_no: str, credential_type: str, credential: str, certno: str, name: str
) -> Sequence[Fault]:
    if person is None:
        return [Fault("PERSON_NOT_FOUND", "没有该人员编号的参保人", "data.psnNo", psn_no, "请用1101查询人员编号")]
    faults = []
    shown = {IDENTITY_CARD: person["certno"], SOCIAL_CARD: person["card_no"]}
    if credential_type not in shown:
        faults.append(Fault("CREDENTIAL_NOT_OFFERED", "该就诊凭证类型尚未开通", "data.mdtrtCertType", credential_type,
                            "请使用02居民身份证或03社会保障卡"))
    elif (shown[credential_type] or "").upper() != credential.upper():
        faults.append(Fault("CREDENTIAL_DIFFERS", "凭证不是该参保人的", "data.mdtrtCertNo", mask(credential),
                            "请核对凭证编号与人员编号"))
    if certno.upper() != person["certno"].upper():
        faults.append(Fault("CERTIFICATE_DIFFERS", "证件号码不是该参保人的", "data.psnUserIdCard", mask(certno),
                            "请核对证件号码"))
    if name != person["name"]:
        faults.append(Fault("NAME_DIFFERS", "授权人姓名与参保人不一致", "data.psnUserName", mask_name(name),
                            "授权须由参保人本人作出"))
    return faults
