"""Which business somebody asks for, as far as the way in says: what the gate is asked before anything is looked up."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from yibao.domains.encounters.visit_classes import visit_classes
from yibao.domains.institutions.model import PHARMACY, Institution
from yibao.domains.windows.model import Asked
from yibao.domains.windows.tables import NEVER, business_of_way, channels

GATEWAY, EXCHANGE, BATCH, PORTAL, API = "gateway", "exchange", "batch", "portal", "api"
_CITY = 4
_OUTPATIENT = "outpatient_settlement"
_STAY = "inpatient_settlement"
_SALE = "pharmacy_sale"
_AWAY = {
    _OUTPATIENT: "remote_outpatient", _SALE: "remote_outpatient", "chronic_settlement": "remote_outpatient",
    "maternity_settlement": "remote_inpatient", _STAY: "remote_inpatient", "negotiated_drug": "remote_outpatient",
}
"""What a settlement is for somebody who is insured in another city."""
_KINDS = {"outpatient": _OUTPATIENT, "stay": _STAY, "pharmacy": _SALE}
_REFINED = {
    _OUTPATIENT: frozenset({"chronic_settlement", "maternity_settlement", "remote_outpatient", "remote_inpatient"}),
    _STAY: frozenset({"maternity_settlement", "remote_inpatient"}),
    _SALE: frozenset({"negotiated_drug", "remote_outpatient"}),
}
_MATERNITY = ("生育", "计划生育")
_SPECIAL = "特药"
_PAID = {"390": "resident_contribution"}
_PAYING = {"counter": "window", "wechat": "app", "province_app": "app", "tax_app": "tax"}
"""Channels of the table of openings as windows call them; the others have the same name."""


def refined_of(plain: str) -> frozenset[str]:
    """Return the businesses that a way in may turn out to serve beside its plain one."""
    return _REFINED.get(plain, frozenset())


def settlement_business(med_type: str, *, kind: str, is_remote: bool) -> str:
    """Return the business of settling a visit: ``kind`` is ``outpatient``, ``stay`` or ``pharmacy``."""
    name = visit_classes().of_kind(kind).get(med_type, "")
    business = _KINDS[kind]
    if med_type in visit_classes().needs_recognition:
        business = "chronic_settlement"
    elif name.startswith(_MATERNITY):
        business = "maternity_settlement"
    elif name.startswith(_SPECIAL):
        business = "negotiated_drug"
    return _AWAY[business] if is_remote else business


def visit_class(med_type: str, *, kind: str) -> str:
    """Return how plans call a visit: ``outpatient``, ``chronic``, ``inpatient``, ``maternity``, ``drug``."""
    business = settlement_business(med_type, kind=kind, is_remote=False)
    return {
        "chronic_settlement": "chronic", "maternity_settlement": "maternity", _STAY: "inpatient", _OUTPATIENT: "outpatient",
    }.get(business, "drug")


def asked_by_message(infno: str, fields: Mapping[str, Any], *, insured_place: str, sender: Institution) -> Asked | None:
    """Return what an institution's message asks for; None: nothing that a window stops.

    Args:
        fields: the business content; the class of the visit is looked for in its nodes.
        insured_place: as the message says, ``""`` where it does not.
    """
    business = business_of_way("transaction", infno)
    if business == NEVER:
        return None
    home = insured_place or sender.region
    is_remote = home[:_CITY] != sender.region[:_CITY]
    med_type = _named(fields, "med_type")
    kind = next((k for k, plain in _KINDS.items() if plain == business), "")
    if kind:
        business = settlement_business(med_type, kind=kind, is_remote=is_remote)
    return Asked(
        business=business, admdvs=sender.region if not is_remote else f"{home[:_CITY]}00", channel=GATEWAY,
        transaction=infno, care_admdvs=sender.region, fixmedins_code=sender.fixmedins_code,
        institution="pharmacy" if sender.kind == PHARMACY else "hospital",
        visit_class=visit_class(med_type, kind=kind) if kind and med_type else "", insutype=_named(fields, "insutype"),
        county=sender.admdvs,
    )


def asked_by_party(party: str, kind: str, body: Mapping[str, Any], *, admdvs: str) -> Asked | None:
    """Return what a party's message asks for; None: nothing that a window stops.

    A payment is asked for through the channel it came by, for who pays.
    """
    business = business_of_way("message", f"{party}/{kind}")
    if business == NEVER:
        return None
    told = body.get("channel")
    return Asked(
        business=business, admdvs=admdvs, channel=told if isinstance(told, str) and told in channels() else EXCHANGE,
        transaction=f"{party}/{kind}", care_admdvs=admdvs,
    )


def asked_by_payer(admdvs: str, *, payer_kind: str, insutype: str, channel: str) -> Asked:
    """Return what somebody asks for who is about to pay a bill: employers, residents and others are businesses of their own.

    Args:
        payer_kind: ``unit``, ``person`` or ``household``. channel: of the table of openings.
    """
    business = "contribution" if payer_kind == "unit" else _PAID.get(insutype, "flexible_contribution")
    return Asked(business=business, admdvs=admdvs, channel=_PAYING.get(channel, channel), care_admdvs=admdvs,
                 insutype=insutype, payer=payer_kind)


def asked_by_operation(operation: str, named: Mapping[str, Any], *, admdvs: str) -> Asked | None:
    """Return what an operation of the API asks for; None: nothing that a window stops.

    An application is what its service item is about; its channel is the one the applicant came by.
    """
    business = business_of_way("operation", operation)
    if business == NEVER:
        return None
    item = named.get("item_code", named.get("item"))
    if isinstance(item, str) and business == "service_application":
        about = business_of_way("item", item)
        business = business if about == NEVER else about
    told, insutype = named.get("channel"), named.get("insutype")
    return Asked(
        business=business, admdvs=admdvs, channel=told if isinstance(told, str) and told in channels() else API,
        transaction=operation, care_admdvs=admdvs, insutype=insutype if isinstance(insutype, str) else "",
    )


def asked_by_verb(verb: str, *, admdvs: str) -> Asked | None:
    """Return what a verb of the command line asks for; None: nothing that a window stops."""
    business = business_of_way("batch", verb)
    if business == NEVER:
        return None
    return Asked(business=business, admdvs=admdvs, channel=BATCH, transaction=verb, care_admdvs=admdvs)


def asked_by_page(path: str, *, admdvs: str) -> Asked | None:
    """Return what a page asks for; None: nothing that a window stops."""
    business = business_of_way("page", path)
    if business == NEVER:
        return None
    return Asked(business=business, admdvs=admdvs, channel=PORTAL, care_admdvs=admdvs)


def _named(fields: Mapping[str, Any], name: str) -> str:
    """Return a field of the content, at the top or in one of its objects."""
    found = fields.get(name)
    if isinstance(found, str):
        return found
    for node in fields.values():
        inner = node.get(name) if isinstance(node, dict) else None
        if isinstance(inner, str) and inner:
            return inner
    return ""
