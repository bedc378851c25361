"""The kinds of difference between two books: what each is called, and what to do about it."""

from __future__ import annotations

import msgspec


class Kind(msgspec.Struct, frozen=True):
    """A kind of difference.

    Attributes:
        code: name in code and tests.
        title: Chinese name that opens the remark in the result file.
        remedy: what the institution does next.
    """

    code: str
    title: str
    remedy: str


def _table(*kinds: tuple[str, str, str]) -> dict[str, Kind]:
    return {code: Kind(code, title, remedy) for code, title, remedy in kinds}


KINDS = _table(
    ("ONLY_AT_INSTITUTION", "机构有平台无", "结算未在平台办成，请按拒绝原因更正后重新结算，或在本机构冲销这笔"),
    ("UNKNOWN_SETTLEMENT", "结算ID不存在", "请核对结算ID；如非本平台结算，请从文件中去掉"),
    ("OTHER_INSTITUTION", "他机构的结算", "请从文件中去掉，并核对结算ID的来源"),
    ("REPLY_LOST", "平台已结算但答复未收到", "请用原报文ID重发取回答复并补记；不再需要的用2601冲正"),
    ("ONLY_AT_CENTRE", "平台有机构无", "请补记这笔结算；确未发生的请撤销结算"),
    ("MEDFEE_DIFFERS", "医疗费总额不符", "以平台结算答复为准更正本机构账目，或撤销后重新结算"),
    ("FUND_DIFFERS", "基金支付不符", "以平台结算答复为准更正本机构账目，或撤销后重新结算"),
    ("ACCOUNT_DIFFERS", "个人账户支付不符", "以平台结算答复为准更正本机构账目，并与现金互补"),
    ("SIGN_WRONG", "金额正负号相反", "结算记正数、退费记负数，请更正后重新上传"),
    ("REFUND_COUNTED_ONCE", "退费正负记录只计一笔", "撤销结算的正负两笔都应计入，请补记"),
    ("PAIR_NOT_COUNTED", "退费正负记录均未计", "合计为零但笔数少两笔，请将正负两笔都计入"),
    ("REFUND_NOT_AT_CENTRE", "机构已退费平台未退", "请用2208、2305或2103撤销结算，或在本机构恢复这笔结算"),
    ("REFUND_FLAG_WRONG", "退费结算标志不符", "结算填0、退费填1，请更正后重新上传"),
    ("REINSTATED", "撤销已被冲正", "撤销的报文已被冲正，原结算恢复有效，请补记恢复的一笔"),
    ("BY_AGENCY", "经办机构重新结算", "经办机构按政策重新办理，请按平台记录补记"),
    ("DUPLICATE_ROW", "重复行", "同一结算只应出现一次，请去掉重复行"),
    ("PERSON_DIFFERS", "人员编号不符", "请核对人员编号，按平台结算答复更正"),
    ("ENCOUNTER_DIFFERS", "就诊ID不符", "请核对就诊ID，按平台结算答复更正"),
    ("OTHER_BUCKET", "不属本次对账类别", "请按平台记录的险种、清算类别和结算经办机构分别对账"),
    ("OUTSIDE_PERIOD", "不在对账期间", "请按平台结算时间归入相应的对账期间"),
)
