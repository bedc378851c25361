"""Applications to leave payment by group: the natural order, wrong orders, and every pair of state and step.

``ALLOWED`` is the specification: from a state, by a step, to a state. Every other pair is refused with the code in
``REFUSED`` and leaves the database as it was.
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.spec.grouping.conftest import Denied, Desk, Office, OfficeFor
from tests.support.lists import on_database
from tests.support.till import Refused

STATES = ("none", "filed", "withdrawn", "approved", "refused")
STEPS = ("apply", "amend", "withdraw", "approve", "refuse")
ALLOWED: dict[tuple[str, str], str] = {
    ("none", "apply"): "filed", ("filed", "amend"): "filed", ("filed", "withdraw"): "withdrawn",
    ("filed", "approve"): "approved", ("filed", "refuse"): "refused",
    ("withdrawn", "apply"): "filed", ("refused", "apply"): "filed",
}
REFUSED = {
    "apply": "已有退出申请", "amend": "不能修改或撤销", "withdraw": "不能修改或撤销",
    "approve": "EXIT_STATE", "refuse": "EXIT_STATE",
}
WAY_TO = {
    "none": (), "filed": ("apply",), "withdrawn": ("apply", "withdraw"), "approved": ("apply", "approve"),
    "refused": ("apply", "refuse"),
}


class Exit:
    """One settled stay and whoever takes a step with its application."""

    def __init__(self, ward: Office, desk: Desk) -> None:
        self.ward, self.desk = ward, desk
        info, _ = ward.settle()
        self.setl_id, self.psn_no = str(info["setl_id"]), str(info["psn_no"])

    def rows(self) -> list[Any]:
        """Return all applications of the stay, the newest last."""
        return [tuple(r) for r in on_database(
            self.desk.url, "select application_id, state, reason, exit_type, detail, items, opinion, decided_by "
                           "from grouping.exit_application where setl_id = $1 order by filed_at, application_id", self.setl_id)]

    def number(self) -> str:
        """Return the newest application's number; one nobody has where there is none."""
        return str(self.rows()[-1][0]) if self.rows() else "202601010000000000000000"

    def state(self) -> str:
        """Return where the newest application stands."""
        return str(self.rows()[-1][1]) if self.rows() else "none"

    def step(self, name: str, **more: Any) -> str:
        """Take a step; return why it was refused, "" if it was taken."""
        try:
            match name:
                case "apply":
                    self.ward.till.call("3602", {"data": {
                        "setl_id": self.setl_id, "psn_no": self.psn_no, "exit_rea": "病情复杂", "appy_exit_type": "1", **more}})
                case "amend" | "withdraw":
                    valid = "1" if name == "amend" else "0"
                    self.ward.till.call("3603", {"data": {
                        "appy_chk_setl_list_id": self.number(), "vali_flag": valid, "exit_rea": "病情复杂，多次手术", **more}})
                case _:
                    self.desk.run("payment", "decide-exit", self.number(), "--region", self.ward.region, "--operator", "审核员",
                                  f"--{name}", "--opinion", "已核实")
        except (Refused, Denied) as refused:
            return str(refused)
        return ""

    def clear(self) -> None:
        """Take every application away, so that the next case begins anew."""
        on_database(self.desk.url, "delete from grouping.exit_application where setl_id = $1", self.setl_id)


@pytest.fixture(scope="module")
def one_exit(zibo: Office, desk: Desk) -> Exit:
    """Return one settled stay for all pairs."""
    return Exit(zibo, desk)


@pytest.fixture
def stay(one_exit: Exit) -> Iterator[Exit]:
    """Return the stay without any application."""
    one_exit.clear()
    yield one_exit
    one_exit.clear()


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("step", STEPS)
def test_every_pair_of_state_and_step(stay: Exit, state: str, step: str) -> None:
    for name in WAY_TO[state]:
        assert stay.step(name) == ""
    assert stay.state() == state
    before = stay.rows()
    said = stay.step(step)
    wanted = ALLOWED.get((state, step))
    if wanted is None:
        no_application = state == "none" and step != "apply"
        code = "EXIT_NOT_FOUND" if step in ("approve", "refuse") else "没有这份退出申请"
        assert (code if no_application else REFUSED[step]) in said
        assert stay.rows() == before
    else:
        assert said == ""
        assert stay.state() == wanted


@pytest.mark.drives("3601", "3602", "3603", "3604")
def test_the_natural_order(stay: Exit) -> None:
    item = {"hilistCode": "330100001", "cnt": 2, "pric": 10.5, "detItemFeeSumamt": 21}
    assert stay.step("apply", medcasno="BA01", drgAppySpcasItemDTOList=[item]) == ""
    assert stay.step("amend") == ""
    till, own = stay.ward.till, stay.ward.code
    asked = {"fixmedins_code": own, "setl_id": stay.setl_id, "pageSize": "10", "pageNum": "1"}
    [row] = till.call("3601", {"data": asked})["data"]
    assert (row["setl_id"], row["exit_rea"], row["rchk_flag"], row["medcasno"]) == (
        stay.setl_id, "病情复杂，多次手术", "0", "BA01")
    assert "330100001" in str(stay.rows()[-1][5])
    assert till.call("3604", {"data": {"setl_id": stay.setl_id}})["appy_chk_opnn_evt_list"] == []
    assert stay.step("approve") == ""
    [row] = till.call("3601", {"data": asked})["data"]
    assert (row["rchk_flag"], row["memo"]) == ("1", "同意退出：已核实")
    told = till.call("3604", {"data": {"appy_chk_setl_list_id": row["appy_chk_setl_list_id"]}})
    [opinion] = told["appy_chk_opnn_evt_list"]
    assert (opinion["opnn"], opinion["opnn_resper_name"]) == ("已核实", "审核员")
    funds = {f["fund_pay_type"]: f["fund_payamt"] for f in told["preSetl_invy_evt_list"]}
    [stored] = on_database(stay.desk.url, "select fund_types, fund_amounts from settlements.settlement where setl_id = $1",
                           stay.setl_id)
    assert {k: round(v * 100) for k, v in funds.items()} == dict(zip(*stored, strict=True))


def test_of_eight_applications_at_once_one_is_filed(stay: Exit, office_for: OfficeFor) -> None:
    def apply(_: int) -> str:
        own = Exit.__new__(Exit)
        own.ward, own.desk, own.setl_id, own.psn_no = office_for("370300"), stay.desk, stay.setl_id, stay.psn_no
        return own.step("apply")

    with ThreadPoolExecutor(8) as pool:
        said = list(pool.map(apply, range(8)))
    assert sorted(bool(text) for text in said) == [False] + [True] * 7
    assert all("已有退出申请" in text for text in said if text)
    assert len(stay.rows()) == 1


def test_an_approved_stay_is_paid_by_item(zibo: Office, desk: Desk) -> None:
    info, content = zibo.settle()
    zibo.accept(content)
    leaving = Exit.__new__(Exit)
    leaving.ward, leaving.desk, leaving.setl_id, leaving.psn_no = zibo, desk, info["setl_id"], info["psn_no"]
    assert (leaving.step("apply"), leaving.step("approve")) == ("", "")
    [result] = [r for r in desk.group("370300")["results"] if r["setl_id"] == info["setl_id"]]
    assert result["kind"] == "exit"


@pytest.mark.parametrize(("more", "says"), [
    ({"setl_id": "30000000000000000000000"}, "没有这笔结算"), ({"exit_rea": " "}, "必须写明原因"),
    ({"exit_rea": None}, "必须写明原因"), ({"psn_no": "37030000000000000001"}, "没有这笔结算"),
])
def test_a_wrong_application_is_refused(stay: Exit, more: dict[str, Any], says: str) -> None:
    assert says in stay.step("apply", **more)
    assert stay.rows() == []


def test_an_outpatient_settlement_is_not_paid_by_group(zibo: Office) -> None:
    info = zibo.till.settle(zibo.patient, zibo.patient["visit"])["setlinfo"]
    with pytest.raises(Refused, match="不按组付费"):
        zibo.till.call("3602", {"data": {"setl_id": info["setl_id"], "psn_no": info["psn_no"], "exit_rea": "误报"}})


def test_a_reversed_settlement_has_no_exit(stay: Exit) -> None:
    gone = Exit(stay.ward, stay.desk)
    stay.ward.reverse(gone.setl_id)
    assert "已撤销" in gone.step("apply")


@pytest.mark.parametrize("content", [{}, {"data": {}}])
@pytest.mark.parametrize(("infno", "says"), [("3602", "没有这笔结算"), ("3604", "至少填一项")])
def test_a_message_that_says_nothing_is_refused(zibo: Office, infno: str, says: str, content: dict[str, Any]) -> None:
    with pytest.raises(Refused) as refused:
        zibo.till.call(infno, content)
    assert says in str(refused.value) or "data" in str(refused.value)


def test_another_hospital_neither_sees_nor_touches_it(stay: Exit, huizhou: Office) -> None:
    assert stay.step("apply") == ""
    with pytest.raises(Refused, match="没有这份退出申请"):
        huizhou.till.call("3603", {"data": {"appy_chk_setl_list_id": stay.number(), "vali_flag": "0"}})
    with pytest.raises(Refused, match="只能查询本机构"):
        huizhou.till.call("3601", {"data": {"fixmedins_code": stay.ward.code, "pageSize": "10", "pageNum": "1"}})
    assert huizhou.till.call("3604", {"data": {"setl_id": stay.setl_id}})["appy_chk_opnn_evt_list"] == []
    assert stay.state() == "filed"


@pytest.mark.parametrize(("infno", "data", "says"), [
    ("3601", {"pageSize": "x", "pageNum": "1"}, "页码"), ("3601", {"pageSize": "10", "pageNum": "0"}, "页码"),
    ("3601", {"pageSize": "10", "pageNum": "1", "begndate": "2026-02-01", "enddate": "2026-01-01"}, "早于开始"),
    ("3604", {}, "至少填一项"),
])
def test_a_bad_question_is_refused(zibo: Office, infno: str, data: dict[str, Any], says: str) -> None:
    own = {"fixmedins_code": zibo.code} if infno == "3601" else {}
    with pytest.raises(Refused, match=says):
        zibo.till.call(infno, {"data": own | data or {"setl_id": ""}})
