"""What people hand in at a counter while a city stands still, in the fields of the REST API. Knows nothing of the product."""

from __future__ import annotations

import base64
from typing import Any

TRANSFER_ITEM = "002036003002"
CERTIFICATE = {"certificate_no": "NJ2021100800123", "issued_by": "南京市医疗保险管理中心", "issued_on": "2021-10-08",
               "first_month": "2015-07-01", "until_month": "2021-08-01"}
CHANGE_FORM = {"from_insutype": "310", "to_insutype": "310", "reason": "跨统筹区就业", "changed_on": "2021-09-01"}


def scan(text: str) -> str:
    """Return the content of a scanned paper as it travels."""
    return base64.b64encode(text.encode()).decode()


def transfer(person: dict[str, Any], *, kind: str = "in", channel: str = "window", **changes: Any) -> dict[str, Any]:
    """Return an application to bring a record from Nanjing, or to take one there."""
    body: dict[str, Any] = {"kind": kind, "psn_no": person["psn_no"], "other_admdvs": "320100", "other_name": "南京市"}
    if kind == "in":
        body |= {"certificate": CERTIFICATE, "change_form": CHANGE_FORM}
    body |= changes
    return {
        "admdvs": "370300", "item_code": TRANSFER_ITEM, "applicant_kind": "person", "applicant_no": person["psn_no"],
        "applicant_name": person["psn_name"], "phone": "13000000000", "channel": channel,
        "body": {name: value for name, value in body.items() if value is not None},
        "materials": [{"material": "transfer_form", "file_name": "申请表.pdf", "content": scan("申请表")}],
    }
