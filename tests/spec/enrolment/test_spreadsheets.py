"""Joiners and leavers by spreadsheet: every row answered, nothing half, the result file says what happened."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from tests.support.member_sheets import LEAVER_TITLES, formulas_in, joiners, read_back, workbook
from tests.support.registry import Office, card
from yibao.kernel.refusal import Refusal
from yibao.usecases.enrolment.commands import ImportMembers
from yibao.usecases.enrolment.import_members import Imported, import_members
from yibao.usecases.enrolment.member_sheet import template

NAMES = "赵钱孙李周吴郑王"
SPOILT = 8


def people(count: int, *, first: int = 0) -> list[tuple[Any, ...]]:
    """Return rows of valid joiners."""
    return [
        (NAMES[n % 8] + "甲乙丙丁"[n % 4], card(f"{1970 + n % 30}-0{1 + n % 9}-1{n % 9}", n % 1000), date(2025, 3, 1), 5000 + n)
        for n in range(first, first + count)
    ]


async def send(office: Office, emp_no: str, content: bytes, **more: Any) -> Imported | Refusal:
    """Send a file as the office does."""
    command = ImportMembers(emp_no=emp_no, content=content, **more)
    return await import_members(office.database, command, actor=office.actor, now=office.now, ids=office.ids,
                                shelf=office.shelf, chunk=7)


async def taken(office: Office, emp_no: str, content: bytes, **more: Any) -> Imported:
    """Send a file that can be read."""
    answer = await send(office, emp_no, content, **more)
    assert isinstance(answer, Imported), answer.sentence()
    return answer


async def test_valid_rows_are_applied_and_the_result_file_says_so(office: Office) -> None:
    """Twenty rows in three chunks; the file comes back with two more columns, and again it is the same file."""
    emp_no = await office.employer()
    content = joiners(people(20))
    done = await taken(office, emp_no, content)
    assert (done.state, done.rows, done.applied, done.refused, done.held) == ("done", 20, 20, 0, 0)
    cells = read_back(done.content)
    assert cells[0][-2:] == ["处理结果", "说明"]
    assert [row[:2] for row in cells[1:]] == [[name, number] for name, number, *_ in people(20)]
    assert {row[-2] for row in cells[1:]} == {"已办理"}
    assert await office.value("select count(*)::int from enrolment.relation where wage_fen between 500000 and 501900") == 20
    everything = await office.everything()
    again = await taken(office, emp_no, content)
    assert again == done, "the same file twice is one deed; the answer is the same, byte for byte"
    assert await office.everything() == everything


def _hide_name_column(sheet: Any) -> None:
    sheet.column_dimensions["A"].hidden = True


def _merge_two_rows(sheet: Any) -> None:
    sheet.merge_cells("C3:C4")


def _hide_a_row(sheet: Any) -> None:
    sheet.row_dimensions[3].hidden = True


CELLS = {
    "a formula for the day": (3, 3, "=DATE(2025,3,1)", "公式"),
    "a formula for the number": (3, 2, '=HYPERLINK("http://example.invalid","1")', "公式"),
    "a number instead of text": (3, 2, 370303198805170016, "以数字保存"),
    "a day that is none": (3, 3, "2025-02-30", "不是日期"),
    "a word for the day": (3, 3, "下个月", "不是日期"),
    "a wage with three decimals": (3, 4, 5000.125, "两位小数"),
    "a negative wage": (3, 4, -1, "不能为负"),
    "a word for the wage": (3, 4, "面议", "两位小数"),
    "an error value": (3, 4, "#N/A", "不是"),
    "true": (3, 4, True, "不是可用的内容"),
    "nothing where it is needed": (3, 1, None, "未填写"),
    "a wrong check digit": (3, 2, "370303198805170010", "校验码"),
}


@pytest.mark.parametrize("what", CELLS)
async def test_one_wrong_cell_refuses_its_row_only(office: Office, what: str) -> None:
    """Row 3 is refused with what is wrong with it; the others are applied."""
    emp_no = await office.employer()
    row, column, value, said = CELLS[what]
    done = await taken(office, emp_no, joiners(people(5), spoil=lambda s: setattr(s.cell(row, column), "value", value)))
    assert (done.applied, done.refused) == (4, 1)
    cells = read_back(done.content)
    assert cells[2][-2] == "未办理"
    assert said in cells[2][-1]
    assert formulas_in(done.content) == [], "nothing that was sent becomes a formula of ours"


async def test_merged_cells_and_hidden_rows_are_refused_row_by_row(office: Office) -> None:
    """A merged cell says nothing for its second row; a hidden row may not have been seen."""
    emp_no, other = await office.employer(), await office.employer()
    merged = await taken(office, emp_no, joiners(people(5), spoil=_merge_two_rows))
    assert [row[-2] for row in read_back(merged.content)[1:]] == ["已办理", "未办理", "未办理", "已办理", "已办理"]
    hidden = await taken(office, other, joiners(people(5, first=100), spoil=_hide_a_row))
    assert [row[-2] for row in read_back(hidden.content)[1:]] == ["已办理", "未办理", "已办理", "已办理", "已办理"]


async def test_hidden_needed_column_and_missing_or_double_titles_refuse_the_file(office: Office) -> None:
    """What concerns the whole sheet refuses the whole sheet, before anything is written."""
    emp_no = await office.employer()
    before = await office.everything()
    rows = people(3)
    faulty = {
        "COLUMN_HIDDEN": joiners(rows, spoil=_hide_name_column),
        "HEADER_NOT_FOUND": workbook([("姓名", "参保日期"), *[(r[0], r[2]) for r in rows]]),
        "COLUMN_TWICE": workbook([("姓名", "证件号码", "参保日期", "姓名"), *rows]),
        "SHEET_UNREADABLE": b"PK\x03\x04 this is no workbook",
        "ROWS_NONE_OR_TOO_MANY": joiners([]),
    }
    for code, content in faulty.items():
        answer = await send(office, emp_no, content)
        assert isinstance(answer, Refusal), code
        assert [f.code for f in answer.faults] == [code]
    assert await office.everything() == before


def _two_rows_of_titles(sheet: Any) -> None:
    sheet.insert_rows(1)
    for column, title in enumerate(("人员信息", None, "参保信息", None), 1):
        sheet.cell(1, column, title)
    sheet.merge_cells("A1:B1")
    sheet.merge_cells("C1:D1")


async def test_two_rows_of_titles_and_a_heading_are_understood(office: Office) -> None:
    """A heading over the titles, groups over them, and titles spread over two rows."""
    emp_no = await office.employer()
    grouped = await taken(office, emp_no, joiners(people(4), spoil=_two_rows_of_titles))
    assert (grouped.rows, grouped.applied) == (4, 4)
    spread = workbook([
        ("某单位2025年3月增员表",), ("姓名", "证件", "参保", "缴费工资"),
        (None, "证件号码", "参保日期", None), *people(4, first=50)])
    done = await taken(office, emp_no, spread)
    assert (done.rows, done.applied) == (4, 4)


async def test_nothing_by_choice_when_one_row_is_wrong(office: Office) -> None:
    """All faults are told, nothing is applied; corrected and sent again it is another file and works."""
    emp_no = await office.employer()
    rows = people(20)
    wrong = [*rows[:9], ("王错", "370303198805170010", date(2025, 3, 1), 1), *rows[9:]]
    answer = await taken(office, emp_no, joiners(wrong), only_valid=False)
    assert (answer.state, answer.applied, answer.refused, answer.held) == ("refused", 0, 1, 20)
    assert await office.value("select count(*)::int from people.person") == 0
    done = await taken(office, emp_no, joiners(rows), only_valid=False)
    assert (done.state, done.applied) == ("done", 20)


async def test_a_person_twice_in_a_file_is_taken_once(office: Office) -> None:
    """Once in the same chunk and once in a later one."""
    emp_no = await office.employer()
    rows = people(10)
    done = await taken(office, emp_no, joiners([rows[0], rows[0], *rows[1:], rows[0]]))
    assert [row[-2] for row in read_back(done.content)[1:]] == ["已办理", "未办理", *["已办理"] * 9, "未办理"]


async def test_a_file_broken_off_goes_on_where_it_stopped(office: Office) -> None:
    """The process dies in the second chunk; run again, every row is applied once and the answer is the undisturbed one."""
    emp_no, other = await office.employer(), await office.employer()
    content = joiners(people(30))

    def die(done: int, _rows: int) -> None:
        if done >= 14:
            raise KeyboardInterrupt

    command = ImportMembers(emp_no=emp_no, content=content)
    with pytest.raises(KeyboardInterrupt):
        await import_members(office.database, command, actor=office.actor, now=office.now, ids=office.ids,
                             shelf=office.shelf, chunk=7, progress=die)
    assert await office.value("select count(*)::int from enrolment.relation") == 14
    done = await taken(office, emp_no, content)
    assert (done.applied, done.refused) == (30, 0)
    assert await office.value("select count(*)::int from enrolment.relation") == 30
    undisturbed = await taken(office, other, joiners(people(30, first=200)))
    assert [row[-2:] for row in read_back(done.content)] == [row[-2:] for row in read_back(undisturbed.content)]


async def test_leavers_by_spreadsheet(office: Office) -> None:
    """Leavers end with their month; a stranger, another name and an unknown cause are refused row by row."""
    emp_no = await office.employer()
    rows = people(5)
    await taken(office, emp_no, joiners(rows))
    sheet = workbook([
        LEAVER_TITLES,
        (rows[0][0], rows[0][1], date(2025, 3, 20), "辞职"),
        (rows[1][0], rows[1][1], "2025/4/2", None),
        ("别的名", rows[2][1], date(2025, 3, 20), "辞职"),
        (rows[3][0], rows[3][1], date(2025, 3, 20), "不想说"),
        ("生人", card("1960-01-01"), date(2025, 3, 20), "辞职"),
    ])
    done = await taken(office, emp_no, sheet, kind="leavers")
    assert [row[-2] for row in read_back(done.content)[1:]] == ["已办理", "已办理", "未办理", "未办理", "未办理"]
    ended = await office.rows("select paused_on::text, end_cause from enrolment.relation where paused_on is not null order by 1")
    assert ended == [("2025-04-01", "resigned"), ("2025-05-01", "other")]


async def test_the_template_is_understood_by_ourselves(office: Office) -> None:
    """What we hand out can be filled in and sent back; it is the same file each time."""
    assert template("joiners") == template("joiners")
    titles = read_back(template("joiners"))[:2]
    emp_no = await office.employer()
    done = await taken(office, emp_no, workbook([*titles, *[(n, c, "01", d, w) for n, c, d, w in people(3)]]))
    assert done.applied == 3


@pytest.mark.slow
async def test_three_in_a_hundred_faults_among_thousands(office: Office) -> None:
    """Two thousand rows, three in a hundred wrong, told one by one; the rest is applied."""
    emp_no = await office.employer()
    rows = [("李" + "一二三四五六七八九十"[n % 10], card(f"{1960 + n // 100}-0{1 + n % 9}-10", n % 1000), date(2025, 3, 1), 5000)
            for n in range(2000)]
    wrong = {n for n in range(2000) if n % 33 == 5}
    sent = [(r[0], r[1][:-1] + ("0" if r[1][-1] != "0" else "1"), *r[2:]) if n in wrong else r for n, r in enumerate(rows)]
    command = ImportMembers(emp_no=emp_no, content=joiners(sent))
    done = await import_members(office.database, command, actor=office.actor, now=office.now, ids=office.ids, shelf=office.shelf)
    assert isinstance(done, Imported)
    assert (done.applied, done.refused) == (2000 - len(wrong), len(wrong))
    result = read_back(done.content)[1:]
    assert {n for n, row in enumerate(result) if row[-2] == "未办理"} == wrong
    assert await office.value("select count(*)::int from enrolment.relation") == 2000 - len(wrong)
