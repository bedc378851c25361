"""What a year's clearing by group leaves to pay, or to pay back: a claim that two people decide like any other."""

from __future__ import annotations

from datetime import date, datetime

from yibao.domains.clearing.claim_operations import add_claim, take_institution
from yibao.domains.clearing.claim_queries import find_institution, find_year_end
from yibao.domains.clearing.model import Claim
from yibao.domains.clearing.rules import refuse_operator
from yibao.infra.database import Connection
from yibao.kernel.ids import Ids
from yibao.kernel.money import yuan_text
from yibao.kernel.refusal import Refusal, refuse
from yibao.usecases.clearing.trail import write_trail

YEAR_END = "year_end"
EVERY_TYPE = "99"


async def claim_year_end(
    tx: Connection, *, admdvs: str, fixmedins_code: str, year: int, amount_fen: int, fund_pay_type: str, basis: str,
    operator: str, now: datetime, ids: Ids,
) -> Claim | Refusal:
    """Enter what a year's clearing adds (+) to or takes (-) from an institution, once per year and fund.

    The same amount again answers the same claim; another amount is refused: a mistake is corrected by rejecting the
    claim. The posting (kind ``year_end``) is written when the claim is approved.
    """
    institution = await find_institution(tx, fixmedins_code)
    refusal = refuse_operator(operator)
    if refusal is not None or institution is None or not amount_fen:
        return refusal or refuse(
            "YEAR_END_WRONG", "没有该定点医药机构" if institution is None else "年终清算金额为零，无需申报",
            field="fixmedins_code", received=fixmedins_code, remedy="请核对机构编号和金额",
        )
    await take_institution(tx, fixmedins_code)
    earlier = await find_year_end(
        tx, fixmedins_code=fixmedins_code, admdvs=admdvs, year=str(year), fund_type=fund_pay_type
    )
    if earlier is not None:
        return earlier if earlier.payable_fen == amount_fen else refuse(
            "YEAR_END_DIFFERS", f"{year}年度年终清算已按{yuan_text(earlier.payable_fen)}元申报（{earlier.claim_id}）",
            field="amount", received=yuan_text(amount_fen), remedy="如有差错，请先退回原申报",
        )
    claim = Claim(
        ids.new(now), admdvs, fixmedins_code, YEAR_END, EVERY_TYPE, "", str(year), date(year, 1, 1), date(year + 1, 1, 1),
        "claimed", 0, 0, 0, 0, amount_fen, 0, 0, amount_fen, 0, fund_pay_type, basis, now, operator,
    )
    await add_claim(tx, claim)
    await write_trail(tx, verb="claim_year_end", object_id=claim.claim_id, admdvs=admdvs, operator=operator, state=claim,
                      now=now, ids=ids)
    return claim
