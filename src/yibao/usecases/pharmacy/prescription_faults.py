"""What prescriptions demand of a sale: outside numbers that are ours are held to, dual-channel drugs need one."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime

from yibao.domains.catalogue.model import ItemTerm
from yibao.domains.dispensing.dispensed_model import Prescribed, Wanted
from yibao.domains.dispensing.dispensed_rules import dispensing_faults
from yibao.kernel.refusal import Fault
from yibao.usecases.visits.fee_line import LineInput

DUAL_CHANNEL = "dual_channel"
"""Trait of pharmacies that may dispense negotiated drugs at the conditions of hospitals."""


def wanted_of(lines: Sequence[LineInput], *, node: str = "drugdetail") -> list[Wanted]:
    """Return what the lines of a sale take of outside prescriptions."""
    return [
        Wanted(x.rxno, x.item_code, x.quantity_e4, f"{node}[{i}]") for i, x in enumerate(lines) if x.outside_rx and x.rxno
    ]


def outside_faults(
    wanted: Sequence[Wanted], prescribed: Sequence[Prescribed], *, psn_no: str, region: str, at: datetime,
    needs_known: bool,
) -> list[Fault]:
    """Return what is wrong with the outside prescriptions of a sale.

    Args:
        needs_known: refuse numbers that are no e-prescription of the platform. Where the fund pays nothing, such a
            number is a paper prescription's and only kept.
    """
    known = {p.hi_rxno for p in prescribed}
    held = wanted if needs_known else [w for w in wanted if w.hi_rxno in known]
    return dispensing_faults(held, prescribed, psn_no=psn_no, region=region, at=at)


def dual_channel_faults(
    lines: Sequence[LineInput], terms: Mapping[str, ItemTerm], prescribed: Sequence[Prescribed], *, is_special: bool,
    disease_code: str, traits: Collection[str],
) -> list[Fault]:
    """Return what is wrong with the negotiated drugs of a sale.

    A negotiated drug leaves a pharmacy only on an e-prescription; a purchase of special drugs (``is_special``) has
    nothing else in it, is for the disease of its prescription, and needs a dual-channel pharmacy.
    """
    known = {p.hi_rxno for p in prescribed}
    faults = []
    if is_special and DUAL_CHANNEL not in traits:
        faults.append(Fault("NOT_DUAL_CHANNEL_PHARMACY", "本机构不是双通道药店，不能办理特药购药", "druginfo.med_type",
                            remedy="请患者到双通道药店购药"))
    diagnoses = {code for p in prescribed for code in p.diagnoses}
    if is_special and disease_code and diagnoses and disease_code not in diagnoses:
        faults.append(Fault("DISEASE_NOT_PRESCRIBED", "病种编码不在处方诊断中", "druginfo.dise_codg", disease_code,
                            "请按处方诊断填写病种编码"))
    for i, x in enumerate(lines):
        term = terms.get(x.item_code)
        if term is None:
            continue
        if term.negotiated and not (x.outside_rx and x.rxno and (x.rxno in known or is_special)):
            faults.append(Fault("DUAL_CHANNEL_NEEDS_PRESCRIPTION", "双通道（谈判）药品须凭平台上的电子处方销售",
                                f"drugdetail[{i}].rxno", x.rxno,
                                "请由定点医疗机构开具电子处方，并填写医保处方编号和外购处方标志1"))
        elif is_special and not term.negotiated:
            faults.append(Fault("NOT_A_SPECIAL_DRUG", "特药购药只能含双通道（谈判）药品", f"drugdetail[{i}].med_list_codg",
                                x.item_code, "其他药品请按41定点药店购药另行结算"))
    return faults
