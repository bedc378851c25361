"""1101 person, 2001 benefit check, 5301 recognised chronic diseases."""

from __future__ import annotations

from yibao.domains.applications.queries import list_chronic_recognitions
from yibao.entrypoints.gateway.registry import Message, Output, Services, query
from yibao.entrypoints.gateway.transactions.filings import last_day
from yibao.entrypoints.gateway.wire_words import yuan
from yibao.kernel.business_time import age_on, business_date
from yibao.kernel.refusal import Refusal
from yibao.usecases.filings.case_facts import maternity_of
from yibao.usecases.filings.trauma import trauma_of
from yibao.usecases.persons.check_benefits import Asked, check_benefits
from yibao.usecases.persons.identify_person import Identified, Shown, identify_person

EMPLOYEE = "310"
POOL_FUND = {"310": "310100", "390": "390100"}
"""Fund that a benefit check answers for, by insurance."""


@query("1101")
async def person(message: Message, services: Services) -> Output | Refusal:
    """Identify a person and list every insurance relation with its balance."""
    data = message.input["data"]
    shown = Shown(
        credential_type=data.get("mdtrt_cert_type", ""), credential=data.get("mdtrt_cert_no", ""),
        cert_type=data.get("psn_cert_type", ""), certno=data.get("certno", ""), name=data.get("psn_name", ""),
    )
    async with services.database.connection() as tx:
        found = await identify_person(tx, shown, on=business_date(message.received_at))
    if isinstance(found, Refusal):
        return found
    message.found_psn_no = found.person["psn_no"]
    return _person_output(found, message)


def _person_output(found: Identified, message: Message) -> dict[str, object]:
    p, today = found.person, business_date(message.received_at)
    return {
        "baseinfo": {
            "psn_no": p["psn_no"], "psn_cert_type": p["cert_type"], "certno": p["certno"], "psn_name": p["name"],
            "gend": p["sex"], "naty": p["nation"], "brdy": p["birth_on"], "age": age_on(p["birth_on"], today),
            "exp_content": None,
        },
        "insuinfo": [
            {
                # The own account belongs to the employee insurance; other relations have none.
                "balc": yuan(found.balance_fen if r["insutype"] == EMPLOYEE else 0), "insutype": r["insutype"],
                "psn_type": r["psn_type"], "psn_insu_stas": r["status"], "psn_insu_date": r["insured_on"],
                "paus_insu_date": r["paused_on"], "cvlserv_flag": "1" if r["civil_servant"] else "0",
                "insuplc_admdvs": r["admdvs"], "emp_name": r["emp_name"] or None,
            }
            for r in found.relations
        ],
        "idetinfo": [
            {
                "psn_idet_type": i["identity_type"], "psn_type_lv": None, "memo": None,
                "begntime": f"{i['valid_from']} 00:00:00",
                "endtime": f"{i['valid_to']} 00:00:00" if i["valid_to"] else None,
            }
            for i in found.identities
        ],
    }


@query("2001")
async def benefit_check(message: Message, services: Services) -> Output | Refusal:
    """Say whether benefits are due on the day of service, and if not, why."""
    data = message.input["data"]
    trauma = trauma_of(data.get("exp_content"))
    if isinstance(trauma, Refusal):
        return trauma
    asked = Asked(
        psn_no=data["psn_no"], insutype=data["insutype"], on=business_date(data["begntime"]),
        fixmedins_code=data["fixmedins_code"], med_type=data["med_type"], disease_code=data.get("dise_codg", ""),
        maternity=maternity_of(matn_type=data.get("matn_type", ""), birctrl_type=data.get("birctrl_type", "")),
        trauma=trauma,
    )
    async with services.database.connection() as tx:
        check = await check_benefits(
            tx, asked, shelf=services.policies, gate=services.gate, at=message.received_at)
    if isinstance(check, Refusal):
        return check
    return {
        "trtinfo": [
            {
                "psn_no": data["psn_no"], "trt_chk_type": "01", "fund_pay_type": POOL_FUND.get(check.insutype, "999997"),
                "trt_enjymnt_flag": "1" if check.due else "0", "begndate": check.begin, "enddate": check.end,
                "trt_chk_rslt": check.result, "exp_content": None,
            }
        ]
    }


@query("5301")
async def chronic_recognitions(message: Message, services: Services) -> Output | Refusal:
    """List the chronic diseases a person is recognised for."""
    psn_no = message.input["data"]["psn_no"]
    async with services.database.connection() as tx:
        rows = await list_chronic_recognitions(tx, psn_no, on=business_date(message.received_at))
    return {
        "feedetail": [
            {
                "opsp_dise_code": r["disease_code"], "opsp_dise_name": r["disease_name"], "begndate": r["valid_from"],
                "enddate": last_day(r["valid_to"]), "exp_content": None,
            }
            for r in rows
        ]
    }
