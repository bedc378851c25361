"""Writes ``docs/stories.md`` from the stories' data: ``python -m tests.spec.stories.write_page``."""

from __future__ import annotations

from pathlib import Path

from tests.spec.stories.by_hand import PAGE as BY_HAND
from tests.spec.stories.by_hand import sections
from yibao.demo.places import regions
from yibao.demo.stories import Story, Visit, institution_of, stories

PAGE = Path(__file__).parents[3] / "docs" / "stories.md"
COLUMNS = (
    ("总额", "medfee_sumamt"), ("全自费", "fulamt_ownpay_amt"), ("超限价", "overlmt_selfpay"), ("先行自付", "preselfpay_amt"),
    ("范围内", "inscp_scp_amt"), ("起付", "act_pay_dedc"), ("统筹", "hifp_pay"), ("个人负担", "psn_part_amt"),
    ("账户", "acct_pay"), ("现金", "psn_cash_pay"), ("余额", "balc"),
)
MED_TYPES = {"11": "普通门诊", "12": "挂号", "13": "急诊", "14": "门诊慢特病"}
PERSONS = {"11": "在职", "12": "退休", "14": "未成年居民", "15": "成年居民", "16": "老年居民"}
HEAD = """# 故事人物

<!-- 由 python -m tests.spec.stories.write_page 生成，请改 src/yibao/demo/data/stories_*.toml -->

演示世界里有名有姓的参保人。每个人的“这次就诊”在演示当天作为他或她的下一次就诊，应当得到表中的结果，精确到分；
期望值由独立的对照算法（`tests/twin`）算出并写入数据文件，其中十四位另有[手算](stories-by-hand.md)（标 ✍）。
同样的数据在 `.yibao/demo.json` 的 `patients[]`；“另列”在 `more_stories[]`。

> 示例参数，非当地现行政策：地名真实，参数取自公开网页的转述或为演示而设，部分价格为虚构，人物与机构均为虚构。

"""


def page() -> str:
    """Return the whole page."""
    by_hand = {h.key for h in sections(BY_HAND.read_text("utf-8"))}
    parts = [HEAD]
    for region in regions():
        told = [s for s in stories() if s.region == region.admdvs]
        parts.append(_city(region.name, [s for s in told if not s.apart], by_hand))
        parts.append(f"### {region.name}：另列\n\n到别的机构、需要审批标志、不用账户，或应被拒绝的就诊。\n\n")
        parts += [_story(s, by_hand) for s in told if s.apart]
    return "".join(parts).rstrip() + "\n"


def _city(name: str, told: list[Story], by_hand: set[str]) -> str:
    first = institution_of(told[0], told[0].visit)
    head = f"## {name}（{len(told)} 位）\n\n就诊机构：{first.name}，{first.code}，{first.level} 级。金额单位为元。\n\n"
    table = "| 故事 | 人物 | " + " | ".join(label for label, _ in COLUMNS) + " |\n"
    table += "|---|---|" + "---:|" * len(COLUMNS) + "\n"
    for s in told:
        mark = " ✍" if s.key in by_hand else ""
        amounts = " | ".join(f"{s.expected[field]:.2f}" for _, field in COLUMNS)
        table += f"| [{s.key}](#{s.key}){mark} | {s.person.name} | {amounts} |\n"
    return head + table + "\n" + "".join(_story(s, by_hand) for s in told)


def _story(s: Story, by_hand: set[str]) -> str:
    who = s.person
    traits = [f"{who.age} 岁", PERSONS[who.psn_type[:2]], "职工医保" if who.insutype == "310" else "居民医保"]
    traits += ["单建统筹"] * who.pool_only + ["灵活就业"] * who.flexible
    traits += [f"账户 {who.balance:.2f}"] if who.balance is not None else []
    traits += [f"已认定 {'、'.join(who.recognitions)}"] if who.recognitions else []
    traits += [f"连续缴费 {who.paid_months} 个月"] if who.paid_months < 12 else []
    lines = [
        f"#### {s.key}\n", f"**{s.title}**　{s.text}" + ("（[手算](stories-by-hand.md)）" if s.key in by_hand else "") + "\n",
        f"- {who.name}：{'，'.join(traits)}",
    ]
    lines += [f"- 此前：{_visit(s, visit)}" for visit in s.history]
    lines.append(f"- 这次：{_visit(s, s.visit)}")
    if s.apart and s.expected:
        lines.append("- 结果：" + "，".join(f"{label} {s.expected[field]:.2f}" for label, field in COLUMNS))
    if s.refusal:
        lines.append(f"- 结果：拒绝，原因中含“{s.refusal}”")
    return "\n".join(lines) + "\n\n"


def _visit(s: Story, visit: Visit) -> str:
    kind = MED_TYPES[visit.med_type] + (f" {visit.dise_codg}" if visit.dise_codg else "")
    at = f"，{institution_of(s, visit).name}" if visit.at else ""
    flags = {"1": "，审批通过", "2": "，审批不通过"}
    bill = "、".join(
        f"{raw[0]} {line.pric.normalize():f} × {line.cnt.normalize():f}{flags.get(line.appr, '')}"
        for raw, line in zip(visit.lines, visit.fee_lines(), strict=True)
    )
    account = "，不用账户" if not visit.use_account and visit is s.visit else ""
    return f"{kind}{at}，{visit.diag_name}；{bill}，共 {visit.total():.2f}{account}"


if __name__ == "__main__":
    PAGE.write_text(page(), "utf-8")
