"""The kinds of cases that dues and payments may come to: what each is called, and what to do about it."""

from __future__ import annotations

import msgspec


class CaseKind(msgspec.Struct, frozen=True):
    """A kind of case: name in code, Chinese title, and what the clerk does next."""

    code: str
    title: str
    remedy: str


def _table(*kinds: tuple[str, str, str]) -> dict[str, CaseKind]:
    return {code: CaseKind(code, title, remedy) for code, title, remedy in kinds}


KINDS = _table(
    ("BASE_MISSING", "没有缴费基数", "请申报缴费基数后重新核定"),
    ("LAW_SILENT", "政策没有适用的缴费标准", "请核对险种、人员类别和参保方式，或补充政策参数后重新核定"),
    ("EMPLOYER_MISSING", "在职人员没有参保单位", "请补登参保单位后重新核定"),
    ("DOUBLE_MONTH", "同月职工与居民重复", "请退还或作废其中一项后重新核定"),
    ("UNKNOWN_BILL", "缴费单不存在", "请核对缴费单号；确认后抵缴其他缴费单，或退费"),
    ("CANCELLED_BILL", "缴费单已作废", "请抵缴其他缴费单，或退费"),
    ("WRONG_PAYER", "缴费人不符", "请核实是否代缴：是则抵缴该缴费单，否则退费"),
    ("SHORT_PAYMENT", "少缴", "请缴费人补足差额，补足前缴费单不算缴清"),
    ("OVER_PAYMENT", "多缴", "多缴部分留作缴费人余额，请抵缴以后的缴费单，或退费"),
    ("DOUBLE_PAYMENT", "重复缴费", "缴费单已缴清，款项留作缴费人余额，请抵缴或退费"),
    ("LATE_SURCHARGE", "逾期缴费未含滞纳金", "滞纳金已另出缴费单，请通知缴费人缴纳"),
    ("CHANNEL_CLOSED", "缴费渠道不对该缴费人开放", "款项照收，请提醒缴费人改用开放的渠道，并核对有无错缴、漏缴"),
    ("EARLIER_UNPAID", "以前月份尚未缴清", "请督促缴费人先补缴以前月份"),
    ("PAID_TOO_EARLY", "缴费早于可缴日期", "款项照收，请核对参保登记日期"),
    ("NEGATIVE_AMOUNT", "缴费金额不为正", "没有入账，请税务部门核对后更正重发"),
    ("PAYMENT_CHANGED", "同一缴费流水两次内容不同", "以先到的为准，请税务部门核对"),
    ("RETURN_UNKNOWN", "退回的缴费流水不存在", "请税务部门核对缴费流水"),
    ("RETURN_TOO_LATE", "缴费已到账或已退费，不能撤回", "请按退费办理"),
    ("ARRIVAL_WAITING", "到账的缴费流水尚未收到", "收到缴费后自动入账；长时间未到请税务部门补发"),
    ("ARRIVAL_TOTAL", "到账金额与缴费合计不符", "差额没有入账，请税务部门核对到账明细"),
    ("ARRIVAL_TWICE", "缴费已由另一批到账", "没有再次入账，请税务部门核对"),
    ("ARRIVAL_CHANGED", "同一到账批次两次内容不同", "以先到的为准，请税务部门核对"),
    ("REFUND_UNKNOWN", "退费回执没有对应的退费", "请税务部门核对退费单号"),
    ("STATEMENT_TOTAL", "对账汇总与明细不符", "请税务部门更正后重发对账单"),
    ("STATEMENT_DIGEST", "对账摘要与明细不符", "请税务部门更正后重发对账单"),
    ("MISSING_HERE", "税务有平台无", "请税务部门补发这笔缴费"),
    ("MISSING_THERE", "平台有税务无", "请税务部门核对；确未缴费的由税务撤回"),
    ("AMOUNT_DIFFERS", "缴费金额不符", "请核对凭证，差额抵缴或退费"),
    ("TWICE_IN_STATEMENT", "对账单中重复", "请税务部门核对，同一流水只应出现一次"),
    ("WRONG_DAY", "缴费日期不符", "请核对缴费时间，归入相应日期对账"),
)
