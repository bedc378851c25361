"""Deciding at the same time, deciding where no money hangs on it, and what ``verify`` says of the deductions."""

from __future__ import annotations

import asyncio
from datetime import datetime
from typing import Any

import asyncpg
import pytest
from typer.testing import CliRunner

from tests.spec.supervision.conftest import Suspected
from tests.support.doctor import ULTRASOUND, Agency, document_of, execute, line, rows, visit
from tests.support.till import Till
from yibao.domains.supervision.model import Suspicion
from yibao.entrypoints.cli.main import app
from yibao.infra.database import Database
from yibao.kernel.business_time import SHANGHAI
from yibao.kernel.ids import RandomIds
from yibao.kernel.refusal import Refusal
from yibao.usecases.supervision.decide_suspicion import confirm_decision
from yibao.usecases.verification.verify_books import verify_books


def test_of_many_clerks_at_once_one_confirms(suspected: Suspected) -> None:
    suspected.appeal(objects=False)
    suspected.agency.do("decide", suspected.id, "--operator", "甲", "--opinion", "不能成立")

    async def confirm_by(name: str, database: Database) -> Suspicion | Refusal:
        async with database.transaction() as tx:
            return await confirm_decision(
                tx, suspicion_id=suspected.id, operator=name, now=datetime.now(SHANGHAI), ids=RandomIds()
            )

    async def all_at_once() -> list[Suspicion | Refusal]:
        database = await Database.open(suspected.url, role=None, size=6)
        try:
            return list(await asyncio.gather(*(confirm_by(f"复核{n}", database) for n in range(6))))
        finally:
            await database.close()

    answers = asyncio.run(all_at_once())
    assert sum(isinstance(a, Suspicion) for a in answers) == 1
    assert {a.code for a in answers if isinstance(a, Refusal)} == {"NOTHING_TO_CONFIRM"}
    assert [d["amount_fen"] for d in suspected.deductions()] == [suspected.row()["fund_fen"]]


def test_where_no_money_hangs_on_it_one_person_decides(till: Till, man: dict[str, Any], agency: Agency, world_url: str) -> None:
    # 71.00 is below what an employee bears before the pool pays: the funds bore nothing.
    settled = till.settle(man, visit(line(ULTRASOUND, 1, 71)))["setlinfo"]
    assert settled["fund_pay_sumamt"] == 0
    agency.run()
    document = document_of(till, settled["setl_id"], world_url)
    (suspicion,) = document["docSusptDTOS"]
    agency.appeal_time_is_over(document["docId"])
    told = agency.do("decide", suspicion["docSusptId"], "--operator", "甲", "--opinion", "已约谈")["suspicion"]
    assert (told["state"], told["proposed_by"]) == ("dropped", None)
    till.call("2208", {"data": {"setl_id": settled["setl_id"], "mdtrt_id": settled["mdtrt_id"], "psn_no": man["psn_no"]}},
              insured_place=man["insuplc_admdvs"])


def test_what_clearing_deducted_by_hand_leaves_less_to_deduct(suspected: Suspected) -> None:
    suspected.appeal(objects=False)
    suspected.agency.do("decide", suspected.id, "--operator", "甲", "--opinion", "不能成立")
    row = suspected.row()
    settled = rows(suspected.url, "select fund_fen from settlements.settlement where setl_id = $1", suspected.setl_id)[0]
    by_hand = settled["fund_fen"] - row["fund_fen"] + 1                 # one fen more than the two leave room for
    execute(suspected.url, """
        insert into clearing.deduction values ('C1', 'M1', $1, 'manual', $2, $3, $4, '稽核', '丙', now(), true)""",
            row["admdvs"], row["psn_no"], suspected.setl_id, by_hand)
    assert suspected.agency.refused("confirm", suspected.id, "--operator", "乙") == "DEDUCTED_MORE_THAN_PAID"
    execute(suspected.url, "update clearing.deduction set is_live = false where deduction_no = 'M1'")
    suspected.agency.do("confirm", suspected.id, "--operator", "乙")
    assert len(suspected.deductions()) == 1


def test_the_schema_itself_asks_for_two_people_and_keeps_amounts(suspected: Suspected) -> None:
    suspected.appeal(objects=False)
    suspected.upheld()
    for harm in (
        "update supervision.deduction set confirmed_by = proposed_by",
        "update supervision.deduction set amount_fen = -amount_fen",
        "update supervision.suspicion set deducted_fen = fund_fen + 1",
        "update supervision.suspicion set state = 'found'",
    ):
        with pytest.raises(asyncpg.CheckViolationError):
            execute(suspected.url, harm + " where psn_no = $1", suspected.row()["psn_no"])


def test_the_gateway_can_take_no_money(suspected: Suspected) -> None:
    for statement in (
        "insert into supervision.deduction select * from supervision.deduction",
        "update supervision.suspicion set deducted_fen = 0",
        "update supervision.suspicion set proposed_by = 'x'",
        "delete from supervision.step",
        "update supervision.step set says = ''",
    ):
        async def attempt(sql: str = statement) -> None:
            connection = await asyncpg.connect(suspected.url)
            try:
                await connection.execute("set role yibao_gateway")
                await connection.execute(sql)
            finally:
                await connection.close()

        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            asyncio.run(attempt())


async def _breaches(url: str, harm: str = "") -> list[str]:
    connection = await asyncpg.connect(url)
    transaction = connection.transaction()
    await transaction.start()
    try:
        if harm:
            await connection.execute(harm)
        return [f.says for f in await verify_books(connection, replay=0) if f.breaches and ("扣款" in f.says or "退回" in f.says)]
    finally:
        await transaction.rollback()


def test_verify_finds_a_deduction_that_does_not_tie(suspected: Suspected) -> None:
    suspected.appeal()
    suspected.upheld()
    suspected.appeal(infno="3703", amount=1)
    suspected.upheld(amount="1.00")
    assert asyncio.run(_breaches(suspected.url)) == []
    first, second = suspected.deductions()
    harms = {
        f"update supervision.deduction set amount_fen = amount_fen + 1 where deduction_id = '{first['deduction_id']}'":
            "每个疑点的扣款余额",
        f"update supervision.deduction set amount_fen = amount_fen + 100000000 where deduction_id = '{first['deduction_id']}'":
            "每笔结算的扣款合计",
        f"update supervision.deduction set origin_id = 'x' where deduction_id = '{second['deduction_id']}'": "每笔退回都指明",
        f"update supervision.deduction set confirmed_by = '丙' where deduction_id = '{first['deduction_id']}'": "每笔扣款由两人",
    }
    for harm, said in harms.items():
        assert any(said in found for found in asyncio.run(_breaches(suspected.url, harm))), harm


def test_every_decision_leaves_an_audit_row(suspected: Suspected) -> None:
    suspected.appeal()
    suspected.agency.do("decide", suspected.id, "--operator", "甲", "--opinion", "不能成立")
    suspected.agency.do("return", suspected.id, "--operator", "乙", "--opinion", "再议")
    suspected.agency.do("decide", suspected.id, "--operator", "甲", "--opinion", "不能成立")
    suspected.agency.do("confirm", suspected.id, "--operator", "乙")
    sql = "select verb, actor, rule from platform.audit_entry where object = $1 order by id"
    entries = rows(suspected.url, sql, suspected.id)
    assert [(e["verb"], e["actor"]) for e in entries] == [
        ("propose_decision", "甲"), ("return_decision", "乙"), ("propose_decision", "甲"), ("confirm_decision", "乙")]
    assert {e["rule"] for e in entries} == {f"R06-{ULTRASOUND}"}


def test_the_desk_lists_what_waits(suspected: Suspected) -> None:
    agency = suspected.agency
    suspected.appeal()
    listed = agency.do("appeals", "--institution", suspected.till.counter.fixmedins_code)["suspicions"]
    assert suspected.id in {s["suspicion_id"] for s in listed}
    agency.do("decide", suspected.id, "--operator", "甲", "--opinion", "不能成立")
    waiting = agency.do("appeals", "--pending")["suspicions"]
    assert {s["proposed_by"] for s in waiting if s["suspicion_id"] == suspected.id} == {"甲"}
    agency.do("return", suspected.id, "--operator", "乙", "--opinion", "再议")
    assert suspected.id not in {s["suspicion_id"] for s in agency.do("appeals", "--state", "found")["suspicions"]}
    shown = CliRunner().invoke(app, ["review", "appeals"])
    assert suspected.id in shown.output
    assert "已申诉" in shown.output


BAD_WORDS = [
    (("decide", "1", "--operator", "甲", "--opinion", "x", "--amount", "1.005"), 2, "usage"),
    (("decide", "1", "--operator", "甲", "--opinion", "x", "--amount", "-1"), 1, "SUSPICION_NOT_FOUND"),
    (("confirm", "1", "--operator", "甲"), 1, "SUSPICION_NOT_FOUND"),
    (("show", "1"), 1, "not_found"),
    (("appeals", "--state", "lost"), 2, "usage"),
    (("run", "--region", "370300", "--operator", "甲", "--from", "昨天"), 2, "usage"),
    (("run", "--region", "999999", "--operator", "甲"), 1, "REGION_WITHOUT_REVIEW"),
]


@pytest.mark.parametrize(("words", "code", "said"), BAD_WORDS, ids=[" ".join(w[0]) for w in BAD_WORDS])
def test_a_bad_command_says_what_is_wrong(agency: Agency, words: tuple[str, ...], code: int, said: str) -> None:
    got, told = agency.ask(*words)
    assert (got, told["ok"]) == (code, False)
    assert said in (told["kind"], *(f["code"] for f in told.get("faults", ())))


def test_a_decision_needs_a_name_a_reason_and_an_amount_in_bounds(suspected: Suspected) -> None:
    suspected.appeal()
    agency, fund = suspected.agency, suspected.row()["fund_fen"]
    assert agency.refused("decide", suspected.id, "--operator", " ", "--opinion", "x") == "OPERATOR_MISSING"
    assert agency.refused("decide", suspected.id, "--operator", "甲", "--opinion", " ") == "REASON_MISSING"
    over = f"{(fund + 1) / 100:.2f}"
    assert agency.refused("decide", suspected.id, "--operator", "甲", "--opinion", "x", "--amount", over) == "AMOUNT_TOO_HIGH"
    assert agency.refused("decide", suspected.id, "--operator", "甲", "--opinion", "x", "--amount", "-0.01") == "AMOUNT_TOO_HIGH"


def test_the_rules_of_an_item_are_listed(agency: Agency) -> None:
    found = agency.do("rules", "001103000010000")["rules"]
    assert {"duplicate_charge", "frequency"} <= {r["kind"] for r in found}
    assert agency.ask("rules", "不存在的项目")[0] == 1
    assert "R06-艾附暖宫丸" in CliRunner().invoke(app, ["review", "rules", "艾附暖宫丸"]).output
