"""``policy show``, ``policy diff`` and ``policy pages``: what policy people read about the law."""

from __future__ import annotations

import json
import re
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from typer.testing import CliRunner

from tests.spec.policy.cities import ZIBO, city_files
from yibao.entrypoints.cli.main import app
from yibao.entrypoints.cli.policy_pages import page_files
from yibao.policy.decide import decide
from yibao.usecases.policies import who_pays
from yibao.usecases.policies.lawbook import Lawbook, read_lawbook

PAGES = Path(__file__).parents[3] / "docs" / "policy"
NEW_YEAR = date(2026, 1, 1)

REGION = """
format = 1
admdvs = "990000"
region = "样例市"
[person_classes]
active = { name = "在职职工", psn_type = ["11"] }
retired = { name = "退休人员", psn_type = ["12"] }
[sources]
A = { title = "样例文件", where = "第三条", reliability = "H" }
"""
GENERAL = """
[[parameter]]
key = "benefit"
name = "待遇类别"
mark = "official"
source = "A"
from = 2020-01-01
rows = [{ rule = "R-0", when = { insutype = "310", med_type = "11" }, value = "visit", title = "门诊", clause = "一" }]
[[parameter]]
key = "fund"
name = "支付基金"
mark = "official"
source = "A"
from = 2020-01-01
rows = [{ rule = "R-1", value = "310100", field = "hifp_pay", clause = "二" }]
[[parameter]]
key = "rounding"
name = "取整"
mark = "official"
source = "A"
from = 2020-01-01
rows = [{ rule = "R-2", value = "half_up", clause = "三" }]
[[parameter]]
key = "benefit_year"
name = "待遇年度"
mark = "official"
source = "A"
from = 2020-01-01
rows = [{ rule = "R-3", value = "service_date", clause = "四" }]
[[parameter]]
key = "order"
name = "支付顺序"
mark = "official"
source = "A"
from = 2020-01-01
rows = [{ rule = "R-4", value = ["pool", "own_account", "cash"], clause = "五" }]
[[parameter]]
key = "deductible"
name = "起付标准"
counter = "visit.deductible"
mark = "official"
source = "A"
rows = [
  { rule = "R-5", value = "100元", from = 2020-01-01, to = 2025-12-31, clause = "六" },
  { rule = "R-6", value = "150元", from = 2026-01-01, clause = "六之一" },
]
[[parameter]]
key = "pool_ratio"
name = "支付比例"
mark = "official"
source = "A"
from = 2020-01-01
rows = [
  { rule = "R-7", when = { level = "1" }, value = "80%", clause = "七" },
  { rule = "R-8", when = { level = ["2", "3"] }, value = "60%", clause = "八" },
]
"""
LAW = REGION + GENERAL


@cache
def pages(on: date = NEW_YEAR) -> dict[str, str]:
    return page_files(on=on)


def run(*words: str) -> tuple[int, dict[str, Any]]:
    result = CliRunner().invoke(app, ["policy", *words, "--json"])
    return result.exit_code, json.loads(result.stdout)


def said(*words: str) -> str:
    """Return what the command says to people, on one line."""
    return re.sub(r"\s+", "", CliRunner().invoke(app, ["policy", *words]).stdout)


def region(folder: Path, text: str = LAW) -> str:
    """Write a region's file and return the folder of all regions."""
    (folder / "990000").mkdir(parents=True)
    (folder / "990000" / "law.toml").write_text(text, encoding="utf-8")
    return str(folder)


def changes(before: str, after: str, *words: str) -> list[dict[str, Any]]:
    code, answer = run("diff", before, after, *words)
    assert code == 0, answer
    return list(answer["changes"]["990000"])


def sentences(before: str, after: str, *words: str) -> list[str]:
    return [change["sentence"] for change in changes(before, after, *words)]


# ── show ──


def test_show_without_a_rule_lists_what_is_in_force_that_day(tmp_path: Path) -> None:
    folder = region(tmp_path)
    for day, value in (("2025-12-31", "100.00 元"), ("2026-01-01", "150.00 元")):
        code, answer = run("show", "990000", "--on", day, "--files", folder)
        assert code == 0
        assert [v["value"] for v in answer["values"] if v["key"] == "deductible"] == [value]
        assert answer == run("list", "990000", "--on", day, "--files", folder)[1]


def test_show_of_a_rule_may_be_asked_for_a_day(tmp_path: Path) -> None:
    folder = region(tmp_path)
    assert len(run("show", "990000", "R-5", "--files", folder)[1]["values"]) == 1
    code, answer = run("show", "990000", "R-5", "--on", "2026-01-01", "--files", folder)
    assert (code, answer["kind"]) == (1, "refused")


def test_samples_of_other_regions_are_shown_but_marked(tmp_path: Path) -> None:
    code, answer = run("check")
    assert code == 0
    elsewhere = [r["admdvs"] for r in answer["elsewhere"]]
    assert elsewhere
    assert not set(elsewhere) & {r["admdvs"] for r in answer["regions"]}
    assert run("show", elsewhere[0])[0] == 0


# ── check on the command line ──


def test_check_says_file_line_reason_and_proposal(tmp_path: Path) -> None:
    folder = region(tmp_path, LAW.replace('"80%"', '"80"'))
    line = next(n for n, text in enumerate(LAW.split("\n"), 1) if '"80%"' in text)
    text = said("check", "--files", folder)
    assert f"law.toml第{line}行" in text
    assert '建议：value="80%"' in text
    assert "正在使用的政策不变" in text


def test_strict_check_ends_with_one_for_a_warning(tmp_path: Path) -> None:
    folder = region(tmp_path, LAW.replace("from = 2026-01-01", "from = 2026-02-01"))
    assert run("check", "--files", folder)[0] == 0
    code, answer = run("check", "--files", folder, "--strict")
    assert code == 1
    assert [w["kind"] for w in answer["warnings"]["990000"]] == ["gap"]


# ── diff ──


def test_two_days_of_one_region_differ_by_what_changed_between(tmp_path: Path) -> None:
    folder = region(tmp_path)
    (sentence,) = sentences("990000@2025-12-31", "990000@2026-01-01", "--files", folder)
    assert sentence == (
        "全部参保人：起付标准由 100.00 元 提高到 150.00 元（+50.00 元），自 2026-01-01 起。"
        "依据：R-6 六之一，样例文件，第三条（官方文本，可靠性高）"
    )
    assert sentences("990000@2026-01-01", "990000@2026-12-31", "--files", folder) == []


@pytest.mark.parametrize(
    ("old", "new", "parts"),
    [
        ('level = "1" }, value = "80%"', 'level = "1" }, value = "75%"',
         ["一级医疗机构：支付比例由 80% 降低到 75%（-5 个百分点），自 2020-01-01 起"]),
        ('value = "100元", from = 2020-01-01', 'value = "不设", from = 2020-01-01',
         ["起付标准由 100.00 元 改为 不设，2020-01-01 至 2025-12-31"]),
        ('{ rule = "R-8"',
         '{ rule = "R-9", when = { person = "retired", level = "3" }, value = "90%", clause = "九" },\n  { rule = "R-8"',
         ["三级医疗机构", "退休人员", "由 60% 提高到 90%（+30 个百分点）"]),
        ('  { rule = "R-7", when = { level = "1" }, value = "80%", clause = "七" },\n', "",
         ["一级医疗机构：支付比例取消，原为 80%"]),
        ('rule = "R-8", when = { level = ["2", "3"] }', 'rule = "R-8", when = { level = ["1", "2", "3"] }',
         ["适用对象由“二级医疗机构、三级医疗机构”改为“一级医疗机构、二级医疗机构、三级医疗机构”"]),
        ('value = "60%", clause = "八"', 'bands = [{ to = "1000元", ratio = "60%" }, { ratio = "70%" }], clause = "八"',
         ["由 60% 改为 1000.00 元以内 60%；以上 70%"]),
    ],
)  # fmt: skip
def test_two_editions_are_compared_in_words(tmp_path: Path, old: str, new: str, parts: list[str]) -> None:
    assert old in LAW
    told = sentences(region(tmp_path / "a"), region(tmp_path / "b", LAW.replace(old, new)))
    assert any(all(part in sentence for part in parts) for sentence in told), told


def test_a_general_value_that_becomes_several_is_told_as_a_split(tmp_path: Path) -> None:
    new = LAW.replace(
        '{ rule = "R-6", value = "150元", from = 2026-01-01, clause = "六之一" }',
        '{ rule = "R-6", when = { person = "active" }, value = "150元", from = 2026-01-01, clause = "六之一" },\n'
        '  { rule = "R-6", when = { person = "retired" }, value = "50元", from = 2026-01-01, clause = "六之二" }',
    )
    told = sentences("990000@2025-12-31", "990000@2026-01-01", "--files", region(tmp_path, new))
    assert [s.partition("，自")[0] for s in told] == [
        "全部参保人：起付标准由统一的 100.00 元 改为按情形分别规定",
        "在职职工：起付标准由 100.00 元 提高到 150.00 元（+50.00 元）",
        "退休人员：起付标准由 100.00 元 降低到 50.00 元（-50.00 元）",
    ]


def test_a_remark_is_no_change(tmp_path: Path) -> None:
    assert changes(region(tmp_path / "a"), region(tmp_path / "b", "# 说明\n" + LAW)) == []


def test_a_change_names_the_line_of_the_new_row(tmp_path: Path) -> None:
    new = LAW.replace('"80%"', '"85%"')
    (change,) = changes(region(tmp_path / "a"), region(tmp_path / "b", new))
    assert new.split("\n")[change["line"] - 1].strip().startswith('{ rule = "R-7"')
    assert (change["was"], change["now"], change["since"]) == ("80%", "85%", "2020-01-01")


@pytest.mark.parametrize(("words", "code", "kind"), [
    (("990000@2025-12-31", "990000"), 2, "usage"),
    (("990000@yesterday", "990000@2026-01-01"), 2, "usage"),
    (("123456", "990000"), 1, "refused"),
])  # fmt: skip
def test_what_cannot_be_compared_is_said(tmp_path: Path, words: tuple[str, str], code: int, kind: str) -> None:
    ended, answer = run("diff", *words, "--files", region(tmp_path))
    assert (ended, answer["kind"]) == (code, kind)


# ── pages and charts ──


@pytest.fixture(scope="module")
def book() -> Lawbook:
    return read_lawbook(city_files(ZIBO))


def test_the_committed_pages_are_those_of_the_law() -> None:
    listed = (PAGES / "README.md").read_text(encoding="utf-8")
    day = re.search(r"--on (\d{4}-\d\d-\d\d)", listed)
    assert day
    files = pages(date.fromisoformat(day[1]))
    committed = {p.name: p.read_text(encoding="utf-8") for p in PAGES.iterdir()}
    assert sorted(committed) == sorted(files)
    assert [name for name in files if committed[name] != files[name]] == []


def test_a_page_has_every_value_with_its_mark(book: Lawbook) -> None:
    page = pages()[f"{ZIBO}.md"]
    for row in book.policy.rows:
        line = next((text for text in page.split("\n") if text.startswith(f"| {row.used.rule} | {row.used.name} |")
                     and f"| {row.valid_from} |" in text and row.used.value in text), "")  # fmt: skip
        assert line, row.place
        assert ("†" in line) == ("示例参数，非当地现行政策" in line)
        assert row.used.mark != "assumed" or "†" in line


def test_a_chart_shows_what_the_counter_decides(book: Lawbook) -> None:
    shown = who_pays.picture(book, "310", "inpatient", on=NEW_YEAR)
    assert shown is not None
    curve = next(c for c in shown.curves if "三级" in c.label)
    at = who_pays.SHOWN.index(1_000_000)
    # 10 000 yuan in scope at level 3, first admission, active: (10 000 - 700) x 81 % = 7 533.00
    assert curve.numbers["hifp_pay"][at] == 753_300
    assert curve.numbers["person"][at] == 246_700


def test_the_shares_of_every_bill_make_up_the_bill(book: Lawbook) -> None:
    for benefit in {e.row.word for e in book.of("benefit")}:
        shown = who_pays.picture(book, "390", benefit, on=NEW_YEAR)
        for curve in shown.curves if shown else ():
            assert curve.bills[0] == 0
            assert curve.bills[-1] == 50_000_000
            for number, bill in enumerate(curve.bills):
                assert sum(paid[number] for paid in curve.paid.values()) == bill


def test_every_chart_is_whole_and_reads_in_light_and_dark() -> None:
    charts = {name: text for name, text in pages().items() if name.endswith(".svg")}
    assert charts
    for name, text in charts.items():
        root = ElementTree.fromstring(text)
        drawn = {e.get("class", "").split()[0] for e in root.iter("{http://www.w3.org/2000/svg}polygon")}
        assert "person" in drawn, name
        assert "prefers-color-scheme:dark" in text
        assert root.find("{http://www.w3.org/2000/svg}title") is not None


def test_pages_are_written_checked_and_old_ones_removed(tmp_path: Path) -> None:
    to = tmp_path / "policy"
    assert run("pages", "--to", str(to), "--check", "--on", "2026-01-01")[0] == 1
    assert not to.exists()
    assert run("pages", "--to", str(to), "--on", "2026-01-01")[0] == 0
    assert run("pages", "--to", str(to), "--check", "--on", "2026-01-01")[0] == 0
    (to / "999999.md").write_text("# 已撤销的统筹区", encoding="utf-8")
    (to / f"{ZIBO}.md").write_text("改过的", encoding="utf-8")
    code, answer = run("pages", "--to", str(to), "--on", "2026-01-01")
    assert (code, answer["changed"], answer["removed"]) == (0, [f"{ZIBO}.md"], ["999999.md"])


def test_decide_is_the_only_reckoner_of_the_charts() -> None:
    assert who_pays.decide is decide
