"""1201, 5101, 5102: institutions, and the sender's own departments and practitioners."""

from __future__ import annotations

from datetime import date
from typing import Any

from yibao.domains.institutions.directory import DepartmentEntry, DirectoryEntry, StaffEntry
from yibao.entrypoints.gateway.registry import Message, Output, Services, query
from yibao.kernel.business_time import business_date
from yibao.kernel.refusal import Refusal
from yibao.usecases.reference.look_up_directory import (
    look_up_departments,
    look_up_institutions,
    look_up_staff,
)

Wire = dict[str, Any]
DOCTOR = "1"


@query("1201")
async def find_institution(message: Message, services: Services) -> Output | Refusal:
    """Find institutions by code or name: one as an object, several or none as a list."""
    asked = message.input["medinsinfo"]
    async with services.database.connection() as connection:
        found = await look_up_institutions(
            connection, kind=asked["fixmedins_type"], code=asked.get("fixmedins_code"),
            name=asked.get("fixmedins_name"),
        )
    if isinstance(found, Refusal):
        return found
    rows = [_institution(entry) for entry in found]
    # The specification shows an object; clients that search by keyword read a list.
    return {"medinsinfo": rows[0] if len(rows) == 1 else rows}


def _institution(entry: DirectoryEntry) -> Wire:
    return {
        "fixmedins_code": entry.fixmedins_code, "fixmedins_name": entry.name, "uscc": entry.uscc,
        "fixmedins_type": entry.kind, "hosp_lv": entry.hosp_lv or "", "exp_content": "",
    }


@query("5101")
async def list_departments(message: Message, services: Services) -> Output | Refusal:
    """List the sender's departments; the message needs no content."""
    institution = message.institution
    async with services.database.connection() as connection:
        found = await look_up_departments(
            connection, fixmedins_code=institution.fixmedins_code, today=business_date(message.received_at)
        )
    return {"feedetail": [_department(entry, institution.region) for entry in found]}


def _midnight(day: date | None) -> str | None:
    return None if day is None else f"{day} 00:00:00"


def _department(entry: DepartmentEntry, region: str) -> Wire:
    told = entry.detail
    return {
        "hosp_dept_codg": entry.dept_code, "hosp_dept_name": entry.name, "begntime": _midnight(entry.opened_on),
        "endtime": _midnight(entry.closed_on), "itro": told.get("itro", ""), "dept_resper_name": entry.head_name,
        "dept_resper_tel": entry.head_phone, "dept_med_serv_scp": told.get("dept_med_serv_scp", ""), "caty": entry.caty,
        "dept_estbdat": f"{told.get('dept_estbdat', entry.opened_on)} 00:00:00", "aprv_bed_cnt": entry.beds,
        "hi_crtf_bed_cnt": _number(told, "hi_crtf_bed_cnt", entry.beds), "poolarea_no": region,
        # Who told its head counts gets them back; else they are counted from who is registered there.
        "dr_psncnt": _number(told, "dr_psncnt", entry.doctors), "phar_psncnt": _number(told, "phar_psncnt", entry.pharmacists),
        "nurs_psncnt": _number(told, "nurs_psncnt", entry.nurses),
        "tecn_psncnt": _number(told, "tecn_psncnt", entry.technicians), "memo": told.get("memo", ""),
    }


def _number(told: dict[str, str], name: str, counted: int) -> int:
    return int(told[name]) if name in told else counted


@query("5102")
async def list_practitioners(message: Message, services: Services) -> Output | Refusal:
    """List the sender's practitioners of one kind."""
    asked = message.input["data"]
    async with services.database.connection() as connection:
        found = await look_up_staff(
            connection, fixmedins_code=message.institution.fixmedins_code, kind=asked["prac_psn_type"],
            cert_type=asked.get("psn_cert_type"), certno=asked.get("certno"), name=asked.get("prac_psn_name"),
            code=asked.get("prac_psn_code"),
        )
    today = business_date(message.received_at)
    rows = [_practitioner(entry, today) for entry in found]
    # One family of clients reads the rows under the older name.
    return {"feedetail": rows, "data": rows}


def _practitioner(entry: StaffEntry, today: date) -> Wire:
    is_registered = entry.registered_on <= today and (entry.left_on is None or entry.left_on > today)
    return {
        "psn_cert_type": entry.cert_type, "certno": entry.certno, "prac_psn_no": entry.code,
        "prac_psn_code": entry.code, "prac_psn_name": entry.name, "prac_psn_type": entry.kind,
        "prac_psn_cert": "", "prac_cert_no": "", "hi_dr_flag": "1" if entry.kind == DOCTOR and is_registered else "0",
        "begntime": _midnight(entry.registered_on), "endtime": _midnight(entry.left_on), "chg_rea": "",
    }
