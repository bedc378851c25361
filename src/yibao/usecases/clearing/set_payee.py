"""Say where an institution's money goes: one person enters the account, another one has checked it."""

from __future__ import annotations

from datetime import datetime

from yibao.domains.clearing.claim_queries import find_institution
from yibao.domains.clearing.model import Payee
from yibao.domains.clearing.payments import put_payee
from yibao.domains.clearing.rules import refuse_approver, refuse_operator
from yibao.infra.database import Connection
from yibao.kernel.ids import Ids
from yibao.kernel.refusal import Refusal, refuse
from yibao.usecases.clearing.trail import write_trail


async def set_payee(
    tx: Connection, *, fixmedins_code: str, bank_name: str, account_name: str, account_no: str, operator: str, checker: str,
    now: datetime, ids: Ids,
) -> Payee | Refusal:
    """Set the bank account that an institution is paid to; payments already ordered keep theirs."""
    refusal = refuse_operator(operator) or refuse_operator(checker) or refuse_approver([operator], checker)
    if refusal is not None:
        return refusal
    institution = await find_institution(tx, fixmedins_code)
    if institution is None:
        return refuse("INSTITUTION_UNKNOWN", "没有该定点医药机构", field="fixmedins_code", received=fixmedins_code,
                      remedy="请核对机构编号")
    if not (bank_name.strip() and account_name.strip() and account_no.strip()):
        return refuse("PAYEE_INCOMPLETE", "开户行、户名和账号都须填写", field="account_no", remedy="请补全")
    payee = Payee(
        fixmedins_code, institution["region"], bank_name.strip(), account_name.strip(), account_no.strip(), operator, checker,
        now,
    )
    await put_payee(tx, payee)
    await write_trail(tx, verb="set_payee", object_id=fixmedins_code, admdvs=payee.admdvs, operator=operator, state=payee,
                      now=now, ids=ids)
    return payee
