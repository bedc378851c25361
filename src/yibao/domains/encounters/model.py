"""Encounters, diagnoses and fee lines as they are stored; fields stand in the order of their tables."""

from __future__ import annotations

from datetime import datetime

import msgspec


class Encounter(msgspec.Struct, frozen=True):
    """One visit, from registration on. ``cert_digest`` is SM3 of the certificate shown."""

    psn_no: str
    mdtrt_id: str
    admdvs: str
    care_admdvs: str
    fixmedins_code: str
    insutype: str
    psn_type: str
    ipt_otp_no: str
    med_type: str
    begin_at: datetime
    cert_type: str
    cert_digest: bytes
    atddr_no: str
    dr_name: str
    dept_code: str
    dept_name: str
    caty: str
    disease_code: str
    disease_name: str
    condition: str
    state: str
    opter: str
    opter_name: str
    registered_at: datetime
    maternity: str = ""
    pregnancy_months: int = 0
    foetuses: int = 1
    exp_content: str = ""


class Diagnosis(msgspec.Struct, frozen=True):
    """One diagnosis of a visit."""

    psn_no: str
    mdtrt_id: str
    ordinal: int
    admdvs: str
    kind: str
    code: str
    name: str
    is_main: bool
    dept: str
    doctor_code: str
    doctor_name: str
    at: datetime
    adm_cond: str = ""


class FeeLine(msgspec.Struct, frozen=True):
    """One charged item with its split. Money in fen, price in millionths of a yuan, quantity in ten-thousandths."""

    psn_no: str
    mdtrt_id: str
    feedetl_sn: str
    admdvs: str
    chrg_bchno: str
    disease_code: str
    rxno: str
    outside_rx: bool
    occurred_at: datetime
    item_code: str
    local_code: str
    item_name: str
    list_type: str
    charge_type: str
    class_level: str
    price_micro: int
    quantity_e4: int
    amount_fen: int
    limit_micro: int | None
    first_pay: int
    own_fen: int
    over_fen: int
    first_fen: int
    scope_fen: int
    restricted: bool
    hosp_appr_flag: str
    reason: str
    catalogue_version: str
    dept_code: str
    dept_name: str
    doctor_code: str
    doctor_name: str
    detail: str
    uploaded_at: datetime
    init_sn: str = ""
    line_group: str = ""
