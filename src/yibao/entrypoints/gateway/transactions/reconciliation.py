"""3201: compare an institution's totals of a period with the platform's."""

from __future__ import annotations

from yibao.domains.settlements.queries import totals
from yibao.entrypoints.gateway.registry import Message, Output, Services, query
from yibao.kernel.money import yuan_text, yuan_to_fen
from yibao.kernel.refusal import Refusal, refuse

EQUAL, DIFFERENT = "0", "1"


@query("3201")
async def reconcile_totals(message: Message, services: Services) -> Output | Refusal:
    """Answer whether count and sums agree, and say each difference in words.

    A reversed settlement counts with its positive and its negative row unless refunds are left out.
    """
    data = message.input["data"]
    if data["stmt_enddate"] < data["stmt_begndate"]:
        return refuse("PERIOD_REVERSED", "对账结束日期早于开始日期", field="data.stmt_enddate",
                      received=str(data["stmt_enddate"]), remedy="请核对对账日期")
    async with services.database.connection() as tx:
        ours = await totals(
            tx, fixmedins_code=message.institution.fixmedins_code, insutype=data["insutype"], clr_type=data["clr_type"],
            clr_optins=data["setl_optins"], first=data["stmt_begndate"], last=data["stmt_enddate"],
            with_refunds=data.get("refd_setl_flag", "1") != "0",
        )
    differences = []
    count = int(data["fixmedins_setl_cnt"])
    if count != ours["n"]:
        differences.append(f"结算笔数：机构{count}，平台{ours['n']}")
    for field, column, label in (
        ("medfee_sumamt", "medfee", "医疗费总额"), ("fund_pay_sumamt", "fund", "基金支付总额"),
        ("acct_pay", "account", "个人账户支付"),
    ):
        theirs = yuan_to_fen(data[field])
        if theirs != ours[column]:
            differences.append(f"{label}：机构{yuan_text(theirs)}，平台{yuan_text(ours[column])}")
    return {
        "stmtinfo": {
            "setl_optins": data["setl_optins"], "stmt_rslt": DIFFERENT if differences else EQUAL,
            "stmt_rslt_dscr": "；".join(differences) or "平",
        }
    }
