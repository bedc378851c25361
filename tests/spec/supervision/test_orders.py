"""The natural order of a review, wrong orders, and every pair of state and deed: what is not allowed changes nothing.

``ALLOWED`` is the specification: the deeds that each state of a suspicion takes. Every other pair is refused with the
code that ``REFUSED`` names for it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.spec.supervision.conftest import Suspected
from tests.support.doctor import (
    HBA1C,
    MONITORING,
    ULTRASOUND,
    WARD_BED,
    analysis,
    answer,
    document_of,
    documents_asked,
    execute,
    feedback,
    line,
    order,
    rows,
    upload_material,
    visit,
)
from tests.support.till import Refused, Till

Patient = dict[str, Any]

DEEDS = ("appeal", "accept", "ask_panel", "waive_panel", "decide", "confirm", "return")
ALLOWED: dict[str, dict[str, str]] = {
    # state: deed -> the state it leads to ("+" a proposal waits for the second person)
    "found": {"appeal": "appealed", "accept": "accepted"},
    "found, time over": {"decide": "found+"},
    "found, time over, proposed": {"confirm": "closed", "return": "found"},
    "appealed": {"decide": "appealed+"},
    "appealed, proposed": {"confirm": "upheld", "return": "appealed"},
    "appealed, proposed nothing": {"confirm": "dropped", "return": "appealed"},
    "accepted": {"decide": "accepted+"},
    "accepted, proposed": {"confirm": "closed", "return": "accepted"},
    "upheld": {"ask_panel": "collegial", "waive_panel": "closed"},
    "upheld, time over": {},
    "dropped": {},
    "collegial": {"decide": "collegial+"},
    "collegial, proposed": {"confirm": "closed", "return": "collegial"},
    "closed": {},
    "void": {},
}


def refused_with(state: str, deed: str) -> str:
    """Return what a refused pair is refused with: words of the message, or the code at the command line."""
    if deed in ("appeal", "accept"):
        return "申诉期限已于" if state.startswith("found, time over") else "疑点不在待申诉状态"
    if deed in ("ask_panel", "waive_panel"):
        return "合议申请期限已于" if state == "upheld, time over" else "申诉后仍确认扣款"
    if deed in ("confirm", "return"):
        return "NOTHING_TO_CONFIRM"
    if "proposed" in state:
        return "DECISION_PENDING"
    return "APPEAL_STILL_OPEN" if state == "found" else "SUSPICION_STATE"


# A suspicion of one settlement is put into each state in turn: the row as the deeds themselves leave it.
_PLAIN = "proposed_by = null, proposed_at = null, proposed_fen = null, proposed_why = null"
_PROPOSED = "proposed_by = '甲', proposed_at = now(), proposed_fen = {}, proposed_why = '意见'"
_OPEN, _OVER = "current_date + 5", "current_date - 5"


def state_sql(state: str) -> tuple[str, str]:
    """Return the settings of a suspicion's row in a state, and the last day of its document's time to appeal."""
    name, *more = state.split(", ")
    deducted = "fund_fen" if name in ("upheld", "collegial") else "0"
    amount = "0" if "proposed nothing" in more else "fund_fen"
    waiting = _PROPOSED.format(amount) if any(m.startswith("proposed") for m in more) else _PLAIN
    until = (_OVER if "time over" in more else _OPEN) if name == "upheld" else "null"
    appeal = "100" if name in ("appealed", "upheld", "collegial") else "null"
    settings = f"state = '{name}', {waiting}, deducted_fen = {deducted}, appeal_fen = {appeal}, collegial_until = {until}"
    return settings, _OVER if name == "found" and "time over" in more else _OPEN


class Board:
    """One suspicion that is put into any state, and a look at everything that a deed might change."""

    def __init__(self, suspected: Suspected) -> None:
        self.s = suspected
        self.material = upload_material(suspected.till)
        self.first = suspected.row()

    def put(self, state: str) -> None:
        """Put the suspicion into a state; what had been deducted from it is there as the deeds leave it."""
        settings, until = state_sql(state)
        url, psn_no, sid = self.s.url, self.first["psn_no"], self.s.id
        execute(url, "delete from supervision.deduction where psn_no = $1 and suspicion_id = $2", psn_no, sid)
        execute(url, "delete from supervision.step where psn_no = $1 and suspicion_id = $2", psn_no, sid)
        execute(url, f"update supervision.suspicion set {settings} where psn_no = $1 and suspicion_id = $2", psn_no, sid)
        execute(url, f"update supervision.document set appeal_until = {until} where psn_no = $1 and document_id = $2",
                psn_no, self.first["document_id"])
        if state.startswith(("upheld", "collegial")):
            execute(url, """
                insert into supervision.deduction
                select s.psn_no, '1', s.admdvs, t.care_admdvs, s.fixmedins_code, s.setl_id, s.mdtrt_id, t.insutype, t.clr_type,
                       t.clr_optins, 'deduction', s.fund_fen, null, s.suspicion_id, s.rule_id, '意见', now(), '甲', '乙'
                from supervision.suspicion s join settlements.settlement t on t.psn_no = s.psn_no and t.setl_id = s.setl_id
                where s.psn_no = $1 and s.suspicion_id = $2""", psn_no, sid)

    def look(self) -> list[Any]:
        """Return everything kept about the suspicion, and how much was written elsewhere."""
        psn_no, sid = self.first["psn_no"], self.s.id
        kept = "select * from supervision.{} where psn_no = $1 and suspicion_id = $2 order by 2, 3"
        elsewhere = """
            select (select count(*) from platform.message where infno in ('3702', '3703')) as messages,
                   (select count(*) from platform.audit_entry where object = $1) as audits"""
        tables = [rows(self.s.url, kept.format(t), psn_no, sid) for t in ("suspicion", "step", "deduction")]
        return [*tables, rows(self.s.url, elsewhere, sid)]

    def do(self, deed: str) -> str:
        """Do a deed and return "" or what it was refused with."""
        s, agency = self.s, self.s.agency
        if deed in ("appeal", "accept", "ask_panel", "waive_panel"):
            content = answer(s.till, s.document, objects=deed in ("appeal", "ask_panel"), material=self.material,
                             amount=0.5, suspicions=[s.id])
            try:
                s.till.call("3702" if deed in ("appeal", "accept") else "3703", content)
            except Refused as refused:
                return str(refused)
            return ""
        words = {"decide": ("甲", "--opinion", "意见"), "confirm": ("乙",), "return": ("乙", "--opinion", "再议")}[deed]
        code, told = agency.ask(deed, s.id, "--operator", *words)
        return "" if code == 0 else str(told["faults"][0]["code"])

    def state(self) -> str:
        """Return the suspicion's state, with + where a proposal waits."""
        row = self.s.row()
        return row["state"] + ("+" if row["proposed_by"] else "")


@pytest.fixture(scope="module")
def board(module_suspected: Suspected) -> Board:
    return Board(module_suspected)


def test_the_table_names_every_state_of_the_schema(world_url: str) -> None:
    (row,) = rows(world_url, """
        select pg_get_constraintdef(oid) as text from pg_constraint
        where conrelid = 'supervision.suspicion'::regclass and conname = 'suspicion_state_check'""")
    for state in {name.split(",")[0] for name in ALLOWED}:
        assert f"'{state}'" in row["text"]
    assert row["text"].count("::text") - row["text"].count("state") <= len({n.split(",")[0] for n in ALLOWED}) + 1


@pytest.mark.parametrize("deed", DEEDS)
@pytest.mark.parametrize("state", ALLOWED)
def test_every_pair_of_state_and_deed(board: Board, state: str, deed: str) -> None:
    board.put(state)
    before = board.look()
    refused = board.do(deed)
    if deed in ALLOWED[state]:
        assert refused == ""
        assert board.state() == ALLOWED[state][deed]
    else:
        assert refused_with(state, deed) in refused
        assert board.look() == before


WRONG_ORDERS: list[tuple[str, Callable[[Board], str], str]] = [
    ("a panel before an appeal", lambda b: b.do("ask_panel"), "申诉后仍确认扣款"),
    ("a decision before the answer", lambda b: b.do("decide"), "APPEAL_STILL_OPEN"),
    ("a second person without a first", lambda b: b.do("confirm"), "NOTHING_TO_CONFIRM"),
    ("an appeal after accepting", lambda b: b.do("accept") + b.do("appeal"), "疑点不在待申诉状态"),
    ("a panel after accepting", lambda b: b.do("accept") + b.do("ask_panel"), "申诉后仍确认扣款"),
    ("two appeals", lambda b: b.do("appeal") + b.do("appeal"), "疑点不在待申诉状态"),
    ("a panel while the decision waits", lambda b: b.do("appeal") + b.do("decide") + b.do("ask_panel"), "申诉后仍确认扣款"),
]


@pytest.mark.parametrize(("play", "said"), [w[1:] for w in WRONG_ORDERS], ids=[w[0] for w in WRONG_ORDERS])
def test_a_wrong_order_is_refused(board: Board, play: Callable[[Board], str], said: str) -> None:
    board.put("found")
    assert said in play(board)


@pytest.mark.drives("3101", "3102", "3103", "3701", "3702", "3703", "3704")
def test_the_natural_order(till: Till, man: Patient, agency: Any, world_url: str) -> None:
    place = man["insuplc_admdvs"]
    mdtrt_id = till.register(man)
    bill = visit(line(MONITORING, 10, 148), line(ULTRASOUND, 1, 71))
    before = till.call("3101", analysis(till, man, mdtrt_id, [order(ULTRASOUND)]), insured_place=place)["result"]
    till.call("3103", feedback("1", (before[0]["jr_id"], "1", "病情需要")))
    till.record(man, bill, mdtrt_id)
    till.upload(man, bill, mdtrt_id)
    during = till.call("3102", analysis(till, man, mdtrt_id, [order(WARD_BED, 1, 98)]), insured_place=place)["result"]
    assert {h["rule_id"][:3] for h in during} == {"R01", "R02", "R06"}
    till.call("3103", feedback("2", *((h["jr_id"], "2", "") for h in during)))
    setl_id = till.call("2207", till.bill(man, bill, mdtrt_id), insured_place=place)["setlinfo"]["setl_id"]
    agency.run()
    document = document_of(till, setl_id, world_url)
    material = upload_material(till)
    till.call("3702", answer(till, document, material=material, amount=1))
    for s in document["docSusptDTOS"]:
        agency.do("decide", s["docSusptId"], "--operator", "甲", "--opinion", "不能成立")
        agency.do("confirm", s["docSusptId"], "--operator", "乙")
    till.call("3703", answer(till, document, material=material, amount=0.5))
    for s in document["docSusptDTOS"]:
        agency.do("decide", s["docSusptId"], "--operator", "丙", "--opinion", "合议撤销扣款", "--amount", "0")
        agency.do("confirm", s["docSusptId"], "--operator", "丁")
    found = rows(world_url, "select kind, amount_fen from supervision.deduction where setl_id = $1", setl_id)
    assert sum(d["amount_fen"] for d in found) == 0
    assert sorted(d["kind"] for d in found) == ["deduction", "deduction", "return", "return"]
    shown = document_of(till, setl_id, world_url, stage="2")
    assert {s["susptStasName"] for s in shown["docSusptDTOS"]} == {"办结"}


VISITS = ("unknown", "registered", "recorded", "settled", "cancelled")
TAKES = {("3101", "unknown"), *((i, v) for i in ("3101", "3102") for v in ("registered", "recorded", "settled"))}


@pytest.fixture(scope="module")
def visits(module_till: Till, module_woman: Patient, world_url: str) -> dict[str, str]:
    """Return a visit in each state."""
    till, woman = module_till, module_woman
    bill = visit(line(HBA1C, 1, 13.5))
    ids = {"unknown": "HIS-9999", "registered": till.register(woman), "recorded": till.register(woman)}
    till.record(woman, bill, ids["recorded"])
    settled = till.settle(woman, bill)["setlinfo"]
    ids["settled"], ids["cancelled"] = settled["mdtrt_id"], till.register(woman)
    (row,) = rows(world_url, "select ipt_otp_no from encounters.encounter where mdtrt_id = $1", ids["cancelled"])
    till.call("2202", {"data": {"psn_no": woman["psn_no"], "mdtrt_id": ids["cancelled"], "ipt_otp_no": row["ipt_otp_no"]}})
    return ids


@pytest.mark.parametrize("infno", ["3101", "3102"])
@pytest.mark.parametrize("state", VISITS)
def test_which_visits_may_be_reviewed(
    module_till: Till, module_woman: Patient, visits: dict[str, str], world_url: str, infno: str, state: str
) -> None:
    content = analysis(module_till, module_woman, visits[state], [order(ULTRASOUND)])
    count = "select count(*) as n from supervision.analysis where mdtrt_id = $1"
    before = rows(world_url, count, visits[state])[0]["n"]
    if (infno, state) in TAKES:
        assert module_till.call(infno, content)["result"] == []
    else:
        said = "就诊登记已撤销" if state == "cancelled" else "事中审核须先登记就诊"
        with pytest.raises(Refused, match=said):
            module_till.call(infno, content)
    assert rows(world_url, count, visits[state])[0]["n"] == before + ((infno, state) in TAKES)


def test_asking_for_documents_changes_nothing(board: Board) -> None:
    board.put("appealed")
    before = board.look()
    for stage in ("1", "2"):
        board.s.till.call("3701", documents_asked(board.s.till, stage=stage))
    assert board.look() == before
