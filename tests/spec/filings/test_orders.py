"""Every state of a filing with every message and every decision: the table says what is allowed.

What the table refuses must be refused with its reason and leave the database as it was.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import asyncpg
import pytest

from tests.spec.filings.conftest import HUIZHOU, ZIBO, Agency, look
from tests.support.filing_desk import accident, choice, chronic, day, filed, referral, undo
from tests.support.till import Refused, Till

Desks = Mapping[str, Till]
DONE = "done"
DISEASE = ("M04600", "冠心病")
PEOPLE = """
select distinct on (p.psn_no) p.psn_no, p.name, p.certno, r.insutype, r.admdvs from people.person p
join enrolment.relation r on r.psn_no = p.psn_no
where r.admdvs = $1 and p.died_on is null and r.benefit_from <= current_date and r.benefit_to is null and r.status = '1'
  and p.cert_type = '01' and not exists (select from applications.chronic_recognition c where c.psn_no = p.psn_no)
order by p.psn_no, r.insutype
"""
SNAPSHOT = """
select (select md5(string_agg(x::text, '|' order by x::text)) from applications.chronic_filing x),
       (select md5(string_agg(x::text, '|' order by x::text)) from applications.chronic_recognition x),
       (select md5(string_agg(x::text, '|' order by x::text)) from applications.referral x),
       (select md5(string_agg(x::text, '|' order by x::text)) from applications.provider_choice x),
       (select md5(string_agg(x::text, '|' order by x::text)) from applications.injury x),
       (select sum(version) from people.person), (select count(*) from platform.message),
       (select count(*) from platform.audit_entry)
"""

# The table. Rows are states, columns what is tried; ``done`` or words of the refusal.
CHRONIC = {
    "nothing": {"2503": DONE, "2504": "没有该参保人的这条备案", "approve": "FILING_NOT_FOUND",
                "refuse": "FILING_NOT_FOUND", "cancel": "FILING_NOT_FOUND"},
    "filed": {"2503": "已有一条待审核的备案", "2504": DONE, "approve": DONE, "refuse": DONE, "cancel": DONE},
    "approved": {"2503": "已有该病种的认定", "2504": DONE, "approve": "FILING_DECIDED", "refuse": "FILING_DECIDED",
                 "cancel": DONE},
    "used": {"2503": "已有该病种的认定", "2504": "已有结算", "approve": "FILING_DECIDED", "refuse": "FILING_DECIDED",
             "cancel": "FILING_IN_USE"},
    "refused": {"2503": DONE, "2504": "未通过审核", "approve": "FILING_DECIDED", "refuse": "FILING_DECIDED",
                "cancel": "FILING_REFUSED"},
    "cancelled": {"2503": DONE, "2504": "已经撤销", "approve": "FILING_DECIDED", "refuse": "FILING_DECIDED",
                  "cancel": "FILING_CANCELLED"},
}
REFERRAL = {
    "nothing": {"2501": DONE, "2502": "没有该参保人的这条备案", "2502 elsewhere": "没有该参保人的这条备案",
                "approve": "FILING_NOT_FOUND", "cancel": "FILING_NOT_FOUND"},
    "filed": {"2501": "已有转往该机构的有效转诊备案", "2502": DONE, "2502 elsewhere": "不是本机构办理的",
              "approve": "FILING_NEEDS_NO_DECISION", "cancel": DONE},
    "used": {"2501": "已有转往该机构的有效转诊备案", "2502": "已有结算", "2502 elsewhere": "不是本机构办理的",
             "approve": "FILING_NEEDS_NO_DECISION", "cancel": "FILING_IN_USE"},
    "cancelled": {"2501": DONE, "2502": "已经撤销", "2502 elsewhere": "不是本机构办理的",
                  "approve": "FILING_NEEDS_NO_DECISION", "cancel": "FILING_CANCELLED"},
}
CHOICE = {
    "nothing": {"2505": DONE, "2506": "没有该参保人的这条备案", "2506 elsewhere": "没有该参保人的这条备案",
                "approve": "FILING_NOT_FOUND", "cancel": "FILING_NOT_FOUND"},
    "of today": {"2505": "参保人已选定本机构", "2506": DONE, "2506 elsewhere": "不是本机构办理的",
                 "approve": "FILING_NEEDS_NO_DECISION", "cancel": DONE},
    "pending": {"2505": "参保人已选定本机构", "2506": DONE, "2506 elsewhere": "不是本机构办理的",
                "approve": "FILING_NEEDS_NO_DECISION", "cancel": DONE},
    "in force": {"2505": "参保人已选定本机构", "2506": "已生效，不能撤销", "2506 elsewhere": "不是本机构办理的",
                 "approve": "FILING_NEEDS_NO_DECISION", "cancel": DONE},
    "used": {"2505": "参保人已选定本机构", "2506": "已有结算", "2506 elsewhere": "不是本机构办理的",
             "approve": "FILING_NEEDS_NO_DECISION", "cancel": "FILING_IN_USE"},
    "cancelled": {"2505": DONE, "2506": "已经撤销", "2506 elsewhere": "不是本机构办理的",
                  "approve": "FILING_NEEDS_NO_DECISION", "cancel": "FILING_CANCELLED"},
}
INJURY = {
    "nothing": {"2507": DONE, "approve": "FILING_NOT_FOUND", "cancel": "FILING_NOT_FOUND"},
    "filed": {"2507": "已有意外伤害备案", "approve": "FILING_NEEDS_NO_DECISION", "cancel": DONE},
    "cancelled": {"2507": DONE, "approve": "FILING_NEEDS_NO_DECISION", "cancel": "FILING_CANCELLED"},
}


def pairs(table: Mapping[str, Mapping[str, str]]) -> list[Any]:
    """Return every pair of state and attempt with what comes of it."""
    names = {attempt for attempts in table.values() for attempt in attempts}
    assert all(set(attempts) == names for attempts in table.values()), "every pair stands in the table"
    return [
        pytest.param(state, attempt, outcome, id=f"{state}-{attempt}")
        for state, attempts in table.items() for attempt, outcome in attempts.items()
    ]


class Stage:
    """One person, a till of the filing institution, another one, and the agency."""

    def __init__(self, patient: dict[str, Any], till: Till, other: Till, agency: Agency, url: str) -> None:
        self.patient, self.till, self.other, self.agency, self.url = patient, till, other, agency, url
        self.filing = "000000000000000000000000"

    def attempt(self, name: str, messages: Mapping[str, Callable[[], Any]]) -> str:
        """Try something; return ``done`` or the refusal: its sentence on the wire, its code from the agency."""
        if name in ("approve", "refuse", "cancel"):
            answer = self.agency(name, self.filing, "--operator", "周审核", "--reason", "试")
            return DONE if answer["ok"] else str(answer["faults"][0]["code"])
        try:
            messages[name]()
        except Refused as refused:
            return str(refused)
        return DONE

    def hold(self, attempt: str, outcome: str, messages: Mapping[str, Callable[[], Any]]) -> None:
        """Try something and hold what the table says of it."""
        before = look(self.url, SNAPSHOT)
        found = self.attempt(attempt, messages)
        if outcome == DONE:
            assert found == DONE
            assert look(self.url, SNAPSHOT) != before
        else:
            assert outcome in found
            assert look(self.url, SNAPSHOT) == before

    def undo(self, infno: str, *, at: Till | None = None) -> Callable[[], Any]:
        return lambda: (at or self.till).call(infno, undo(self.patient, self.filing))

    def settle(self, till: Till, **visit: Any) -> None:
        lines = [{"med_list_codg": self.patient["item"]["med_list_codg"],
                  "medins_list_codg": self.patient["item"]["medins_list_codg"], "cnt": 1,
                  "pric": self.patient["item"]["price"], "det_item_fee_sumamt": self.patient["item"]["price"]}]
        till.settle(self.patient, {
            "med_type": "11", "diag_code": "J06.900", "diag_name": "急性上呼吸道感染", "lines": lines, **visit})


@pytest.fixture(scope="module")
def people(world_url: str, world: dict[str, Any]) -> dict[str, Iterator[dict[str, Any]]]:
    """Return, by city, people of whom nothing has been filed yet, each to be used once."""
    item = next(i for i in world["items"] if i["chrgitm_lv"] == "01" and i["list_type"] == "201")
    return {
        city: iter([
            {"psn_no": psn_no, "psn_name": name, "certno": certno, "insutype": insutype, "insuplc_admdvs": admdvs,
             "item": item}
            for psn_no, name, certno, insutype, admdvs in look(world_url, PEOPLE, city)
        ])
        for city in (HUIZHOU, ZIBO)
    }


def test_the_world_holds_somebody_for_every_pair(world_url: str) -> None:
    """One person each: without enough of them the pairs below would not run."""
    assert len(look(world_url, PEOPLE, ZIBO)) >= len([*pairs(CHRONIC), *pairs(REFERRAL), *pairs(INJURY)])
    assert len(look(world_url, PEOPLE, HUIZHOU)) >= len(pairs(CHOICE))


@pytest.mark.parametrize(("state", "attempt", "outcome"), pairs(CHRONIC))
@pytest.mark.drives("2503", "2504")
def test_chronic(
    desks: Desks, people: dict[str, Iterator[dict[str, Any]]], agency: Agency, world_url: str, state: str, attempt: str,
    outcome: str,
) -> None:
    stage = Stage(next(people[ZIBO]), desks["zb2"], desks["zb3"], agency, world_url)
    content = chronic(stage.patient, stage.till, DISEASE)
    if state != "nothing":
        stage.filing = filed(stage.till, "2503", content)
    if state in ("approved", "used"):
        assert agency("approve", stage.filing, "--operator", "周审核")["ok"]
    if state == "used":
        stage.settle(stage.till, med_type="14", dise_codg=DISEASE[0], diag_code="I25.103", diag_name="冠状动脉粥样硬化性心脏病")
    if state == "refused":
        assert agency("refuse", stage.filing, "--operator", "周审核", "--reason", "材料不全")["ok"]
    if state == "cancelled":
        stage.undo("2504")()
    stage.hold(attempt, outcome, {"2503": lambda: filed(stage.till, "2503", content), "2504": stage.undo("2504")})


@pytest.mark.parametrize(("state", "attempt", "outcome"), pairs(REFERRAL))
@pytest.mark.drives("2501", "2502")
def test_referral(
    desks: Desks, people: dict[str, Iterator[dict[str, Any]]], agency: Agency, world_url: str, state: str, attempt: str,
    outcome: str,
) -> None:
    stage = Stage(next(people[ZIBO]), desks["zb1"], desks["zb3"], agency, world_url)
    content = referral(stage.patient, stage.other)
    if state != "nothing":
        stage.filing = filed(stage.till, "2501", content)
    if state == "used":
        stage.settle(stage.other)
    if state == "cancelled":
        stage.undo("2502")()
    stage.hold(attempt, outcome, {
        "2501": lambda: filed(stage.till, "2501", content), "2502": stage.undo("2502"),
        "2502 elsewhere": stage.undo("2502", at=stage.other)})


@pytest.mark.parametrize(("state", "attempt", "outcome"), pairs(CHOICE))
@pytest.mark.drives("2505", "2506")
def test_choice(
    desks: Desks, people: dict[str, Iterator[dict[str, Any]]], agency: Agency, world_url: str, state: str, attempt: str,
    outcome: str,
) -> None:
    stage = Stage(next(people[HUIZHOU]), desks["hz1"], desks["hz2"], agency, world_url)
    begin = day(5) if state == "pending" else day(0)
    if state != "nothing":
        stage.filing = filed(stage.till, "2505", choice(stage.patient, stage.till, begndate=begin))
    if state == "in force":
        _age(world_url, stage.filing)
    if state == "used":
        stage.settle(stage.till)
    if state == "cancelled":
        stage.undo("2506")()
    stage.hold(attempt, outcome, {
        "2505": lambda: filed(stage.till, "2505", choice(stage.patient, stage.till, begndate=begin)),
        "2506": stage.undo("2506"), "2506 elsewhere": stage.undo("2506", at=stage.other)})


@pytest.mark.parametrize(("state", "attempt", "outcome"), pairs(INJURY))
@pytest.mark.drives("2507")
def test_injury(
    desks: Desks, people: dict[str, Iterator[dict[str, Any]]], agency: Agency, world_url: str, state: str, attempt: str,
    outcome: str,
) -> None:
    stage = Stage(next(people[ZIBO]), desks["zb2"], desks["zb3"], agency, world_url)
    content = accident(stage.patient, stage.till)
    if state != "nothing":
        stage.filing = filed(stage.till, "2507", content)
    if state == "cancelled":
        assert agency("cancel", stage.filing, "--operator", "周审核", "--reason", "误登")["ok"]
    stage.hold(attempt, outcome, {"2507": lambda: filed(stage.till, "2507", content)})


def _age(url: str, filing: str) -> None:
    """Let a choice be of last month."""
    import asyncio

    async def write() -> None:
        connection = await asyncpg.connect(url)
        await connection.execute(
            "update applications.provider_choice set filed_at = filed_at - interval '30 days', valid_from = valid_from - 30 "
            "where filing_id = $1", filing)
        await connection.close()

    asyncio.run(write())
