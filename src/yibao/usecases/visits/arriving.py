"""Who arrives: enrolment and credential of somebody who registers for a visit or is admitted."""

from __future__ import annotations

from datetime import date

import asyncpg
import msgspec

from yibao.domains.institutions.model import Institution
from yibao.domains.people.card_rules import card_faults
from yibao.kernel.identity_number import mask
from yibao.kernel.refusal import Fault

IDENTITY_CARD, SOCIAL_CARD = "02", "03"


class Arrival(msgspec.Struct, frozen=True):
    """What an institution says of somebody who arrives.

    Attributes:
        on: day of the visit or of admission.
        insured_place: ``insuplc_admdvs`` of the envelope, ``""`` if absent.
        node: node of the message that the fields stand in, for the faults.
    """

    psn_no: str
    insutype: str
    on: date
    cert_type: str
    cert_no: str
    insured_place: str
    node: str = "data"


def arrival_faults(
    person: asyncpg.Record, relation: asyncpg.Record | None, arrival: Arrival, institution: Institution, *,
    death: asyncpg.Record | None, today: date,
) -> list[Fault]:
    """Return why somebody cannot be registered.

    Args:
        relation: the enrolment that counts on the day, if any.
        death: the stay that the person left by death on an earlier day, if any.
    """
    node = arrival.node
    if person["merged_into"]:
        # Everything else would be said of a number that stands for nobody any more.
        return [Fault("PERSON_MERGED", f"人员编号已并入{person['merged_into']}", f"{node}.psn_no", arrival.psn_no,
                      "请用1101重新获取人员编号")]
    faults = []
    if arrival.on > today:
        faults.append(Fault("VISIT_IN_FUTURE", "就诊时间晚于今天", f"{node}.begntime", f"{arrival.on}", "请核对就诊时间"))
    if person["died_on"] is not None and person["died_on"] < arrival.on:
        faults.append(Fault("PERSON_DEAD", f"参保人已于{person['died_on']}死亡", f"{node}.psn_no", arrival.psn_no,
                            "请核对就诊人身份"))
    elif death is not None:
        faults.append(death_fault(death, f"{node}.psn_no", arrival.psn_no))
    shown = {IDENTITY_CARD: person["certno"], SOCIAL_CARD: person["card_no"]}.get(arrival.cert_type)
    if arrival.cert_type not in (IDENTITY_CARD, SOCIAL_CARD):
        faults.append(Fault("CREDENTIAL_NOT_OFFERED", "该就诊凭证类型尚未开通", f"{node}.mdtrt_cert_type",
                            arrival.cert_type, "请使用02居民身份证或03社会保障卡"))
    elif shown is None or shown.upper() != arrival.cert_no.upper():
        faults.append(Fault("CREDENTIAL_DIFFERS", "就诊凭证不是该参保人的", f"{node}.mdtrt_cert_no",
                            mask(arrival.cert_no), "请核对凭证编号与人员编号；补换过卡的请用新卡"))
    faults += card_faults(arrival.cert_type, person["card_state"], field=f"{node}.mdtrt_cert_type")
    if relation is None:
        faults.append(Fault("NOT_ENROLLED", "参保人没有该险种的参保关系", f"{node}.insutype", arrival.insutype,
                            "请用1101查询参保险种"))
        return faults
    if arrival.insured_place and arrival.insured_place[:4] != relation["admdvs"][:4]:
        faults.append(Fault("INSURED_PLACE_DIFFERS", f"参保人的参保地是{relation['admdvs']}", "insuplc_admdvs",
                            arrival.insured_place, "请按1101返回的参保地医保区划填写"))
    if relation["admdvs"] != institution.region:
        faults.append(Fault("REMOTE_CARE_NOT_OFFERED",
                            f"参保人参保地是{relation['admdvs']}，不属本机构所在统筹区{institution.region}，"
                            "异地就医直接结算尚未开通", f"{node}.psn_no", arrival.psn_no,
                            "请自费结算后回参保地手工报销"))
    return faults


def death_fault(death: asyncpg.Record, field: str, received: str) -> Fault:
    """Return the fault of care after a stay that was left by death."""
    return Fault("PERSON_DEAD", f"参保人已于{death['died_on']}在{death['name']}住院期间死亡（就诊ID {death['mdtrt_id']}）",
                 field, received, "请核对就诊人身份、就诊时间；死亡日期有误的，由该机构用2405撤销出院后更正")
