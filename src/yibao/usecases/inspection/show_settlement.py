"""Show a settlement of the own institution: head, payers, lines, and the sums that must hold."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

import msgspec

from yibao.domains.settlements.model import Settlement, from_row
from yibao.domains.settlements.queries import find_settlement
from yibao.infra.database import Connection
from yibao.kernel.identity_number import mask_name
from yibao.policy.decision import Used
from yibao.policy.law.parameters import RegionPolicy
from yibao.usecases.inspection.field_names import FieldNames
from yibao.usecases.inspection.line_basis import bases_of
from yibao.usecases.settlement.explain_settlement import StayPart, stay_part_of, stored_policy

MIRRORS = """
select setl_id, kind from settlements.settlement where psn_no = $1 and origin_id = $2 order by settled_at
"""
LINES = """
select feedetl_sn, item_code, item_name, list_type, class_level, charge_type, price_micro, quantity_e4, amount_fen, limit_micro,
       first_pay, own_fen, over_fen, first_fen, scope_fen, restricted, hosp_appr_flag, reason,
       (occurred_at at time zone 'Asia/Shanghai')::date as occurred_on, init_sn
from settlements.lines_of($1, $2) order by occurred_at, feedetl_sn
"""
VISIT = """
select e.ipt_otp_no, e.disease_code, e.disease_name, e.dept_name, e.dr_name, p.name
from encounters.encounter e join people.person p on p.psn_no = e.psn_no
where e.psn_no = $1 and e.mdtrt_id = $2
"""


class SheetLine(msgspec.Struct, frozen=True):
    """One fee line. Prices in millionths of a yuan, quantity in ten-thousandths, amounts in fen.

    ``basis`` are the dated values its split used.
    """

    feedetl_sn: str
    item_code: str
    item_name: str
    list_type: str
    class_level: str
    charge_type: str
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
    occurred_on: date
    init_sn: str
    basis: tuple[Used, ...] = ()


class Check(msgspec.Struct, frozen=True):
    """A sum that must hold: what it says, both sides in fen."""

    text: str
    left: int
    right: int

    @property
    def holds(self) -> bool:
        """Say whether both sides are equal."""
        return self.left == self.right


class Sheet(msgspec.Struct, frozen=True):
    """A settlement as its institution may see it.

    Attributes:
        person_name: masked.
        insutype, med_type: Chinese texts.
        payers: who bears how much, Chinese name, kind (``fund``, ``account``, ``cash``, ``hospital``) and fen.
        stay: the part of a stay that is settled, None for a visit.
        mirrors: later refunds or reinstatements of this one, id and kind.
    """

    head: Settlement
    person_name: str
    visit_no: str
    disease: str
    department: str
    doctor: str
    insutype: str
    med_type: str
    payers: tuple[tuple[str, str, int], ...]
    lines: tuple[SheetLine, ...]
    class_names: dict[str, str]
    mirrors: tuple[tuple[str, str], ...]
    checks: tuple[Check, ...]
    stay: StayPart | None = None


async def show_settlement(
    tx: Connection, *, institution: str, setl_id: str, names: FieldNames, policies: Mapping[str, RegionPolicy]
) -> Sheet | None:
    """Return a settlement of ``institution``; None where there is none or it is another institution's.

    Args:
        policies: compiled law by version, to spare compiling; others are compiled from the stored files.
    """
    row = await find_settlement(tx, setl_id)
    if row is None:
        return None
    head = from_row(row)
    if head.fixmedins_code != institution:
        return None
    rows = await tx.fetch(LINES, head.psn_no, head.setl_id)
    class_names = {code: names.code("chrgitm_lv", code) for code in sorted({line["class_level"] for line in rows})}
    policy = policies.get(head.policy_version) or await stored_policy(tx, head.policy_version)
    stay = await stay_part_of(tx, head)
    bases = await bases_of(
        tx, head=head, lines=rows, class_names=class_names, policy=policy, is_stay=stay is not None
    )
    lines = tuple(SheetLine(**dict(line), basis=bases.get(line["feedetl_sn"], ())) for line in rows)
    visit = await tx.fetchrow(VISIT, head.psn_no, head.mdtrt_id)
    mirrors = await tx.fetch(MIRRORS, head.psn_no, head.setl_id)
    return Sheet(
        head=head,
        person_name=mask_name(visit["name"]) if visit else "",
        visit_no=visit["ipt_otp_no"] if visit else "",
        disease=f"{visit['disease_name']} {visit['disease_code']}".strip() if visit else "",
        department=visit["dept_name"] if visit else "",
        doctor=visit["dr_name"] if visit else "",
        insutype=names.code("insutype", head.insutype) or head.insutype,
        med_type=names.code("med_type", head.med_type) or head.med_type,
        payers=payers_of(head, names),
        lines=lines,
        class_names=class_names,
        mirrors=tuple((mirror["setl_id"], mirror["kind"]) for mirror in mirrors),
        checks=checks_of(head, lines),
        stay=stay,
    )


def payers_of(head: Settlement, names: FieldNames) -> tuple[tuple[str, str, int], ...]:
    """Return who bears how much; together they are the bill."""
    shown = [
        (names.code("fund_pay_type", code) or f"基金 {code}", "fund", amount)
        for code, amount in zip(head.fund_types, head.fund_amounts, strict=True)
        if amount and not _is_own(code, names)
    ]
    named = sum(amount for _, _, amount in shown)
    if named != head.fund_fen:
        shown.append(("其他基金", "fund", head.fund_fen - named))
    shown.append(("个人账户", "account", head.account_fen))
    shown.append(("个人现金", "cash", head.cash_fen))
    if head.hospital_fen:
        shown.append(("医疗机构承担", "hospital", head.hospital_fen))
    return tuple(shown)


def checks_of(head: Settlement, lines: tuple[SheetLine, ...]) -> tuple[Check, ...]:
    """Return the identities of the bill, computed anew from what is stored."""
    checks = [
        Check("医疗费总额 ＝ 基金支付 ＋ 个人负担 ＋ 医院负担", head.medfee_fen,
              head.fund_fen + head.person_fen + head.hospital_fen),
        Check("医疗费总额 ＝ 全自费 ＋ 超限价 ＋ 先行自付 ＋ 符合范围", head.medfee_fen,
              head.own_fen + head.over_fen + head.first_fen + head.scope_fen),
        Check("个人负担 ＝ 个人账户 ＋ 个人现金", head.person_fen, head.account_fen + head.cash_fen),
    ]
    if lines:
        sign = -1 if head.kind == "refund" else 1
        checks.append(Check("医疗费总额 ＝ 各明细金额之和", head.medfee_fen, sign * sum(i.amount_fen for i in lines)))
        checks.append(Check("符合范围 ＝ 各明细符合范围之和", head.scope_fen, sign * sum(i.scope_fen for i in lines)))
    return tuple(checks)


def _is_own(code: str, names: FieldNames) -> bool:
    text = names.code("fund_pay_type", code)
    return "个人账户" in text or "医院" in text or "医疗机构" in text
