"""The bills the bench settles: one invented patient's visit in three sizes, and the 2207 message for any copy of it.

Visits are numbered from 0 within a size. Their ids are numbers of 16 and 18 digits, because pgbench reckons
with integers only and must name the same rows.
"""

from __future__ import annotations

from decimal import Decimal

import msgspec

from yibao.demo.formulary import formulary
from yibao.demo.orders import OrderLine, VisitOrder

VISITS_PER_PERSON = 4
"""So many visits of one size belong to one person, one after the other."""

_FIRST_PERSON = 3_703_007_000_000_000
_FIRST_VISIT = 910_000_000_000_000_000
_SIZE_STEP = 1_000_000_000
_TARGET_YUAN = Decimal(400)
_SPLITS = ("fulamt_ownpay_amt", "overlmt_selfpay", "preselfpay_amt", "inscp_scp_amt")
_PERSON, _VISIT, _MESSAGE = "@psn_no@", "@mdtrt_id@", "@msgid@"


def first_person(size: int) -> int:
    """Return the number of the first person with visits of ``size`` lines."""
    return _FIRST_PERSON + size * 1_000_000


def first_visit(size: int) -> int:
    """Return the number of visit 0 with ``size`` lines."""
    return _FIRST_VISIT + size * _SIZE_STEP


def order_lines(size: int) -> tuple[OrderLine, ...]:
    """Return ``size`` different drugs without use limits, some 400 yuan together."""
    goods = [
        g for g in formulary().values()
        if g.list_type == "101" and not g.restricted and g.class_level != "03" and 1 <= g.price <= 20
        and (g.pay_standard is None or g.price <= g.pay_standard)
    ]
    share = _TARGET_YUAN / size
    lines = []
    for good in goods[:size]:
        count = max(Decimal(1), (share / good.price).quantize(Decimal(1)))
        amount = (good.price * count).quantize(Decimal("0.01"))
        lines.append(OrderLine(good.code, good.local_code, good.price, count, amount))
    if len(lines) < size:
        raise AssertionError(f"the price list has only {len(lines)} fitting drugs")
    return tuple(lines)


class BillForm(msgspec.Struct, frozen=True):
    """The 2207 message of a size, cut at the three places where visits differ."""

    parts: tuple[bytes, ...]
    names: tuple[str, ...]

    def body(self, *, size: int, number: int) -> bytes:
        """Return the message that settles visit ``number``; its msgid is new for every number and size."""
        values = {
            _PERSON: b"%d" % (first_person(size) + number // VISITS_PER_PERSON),
            _VISIT: b"%d" % (first_visit(size) + number),
            _MESSAGE: b"H3703%025d" % (size * _SIZE_STEP + number),
        }
        pieces = [self.parts[0]]
        for name, part in zip(self.names, self.parts[1:], strict=True):
            pieces += (values[name], part)
        return b"".join(pieces)


def bill_form(order: VisitOrder, trial: dict[str, object], *, batch: str, sent_at: str) -> BillForm:
    """Return the form of the 2207 message of an order, with the split that the trial (2206) gave."""
    desk = order.desk
    message = {
        "infno": "2207", "msgid": _MESSAGE, "mdtrtarea_admvs": desk.admdvs, "insuplc_admdvs": order.insuplc_admdvs,
        "recer_sys_code": "YIBAO", "dev_no": "", "dev_safe_info": "", "cainfo": "", "signtype": "",
        "infver": "V1.0", "opter_type": "1", "opter": desk.opter, "opter_name": desk.opter_name,
        "inf_time": sent_at, "fixmedins_code": desk.fixmedins_code, "fixmedins_name": desk.fixmedins_name,
        "sign_no": "",
        "input": {"data": {
            "psn_no": _PERSON, "mdtrt_cert_type": "02", "mdtrt_cert_no": order.certno, "med_type": order.med_type,
            "medfee_sumamt": order.total, "psn_setlway": "01", "mdtrt_id": _VISIT, "chrg_bchno": batch,
            "insutype": order.insutype, "acct_used_flag": "1", "invono": "",
            **{name: trial[name] for name in _SPLITS},
        }},
    }
    text = msgspec.json.Encoder(decimal_format="number").encode(message)
    names = sorted((_PERSON, _VISIT, _MESSAGE), key=lambda name: text.index(name.encode()))
    parts = []
    for name in names:
        head, _, text = text.partition(name.encode())
        parts.append(head)
    return BillForm((*parts, text), tuple(names))
