"""A plan has the accounts of the month to come credited before its stop; without it nobody can, and after the stop neither."""

from __future__ import annotations

import json
import re
from datetime import date, timedelta
from typing import Any

import pytest
from typer.testing import CliRunner

from tests.spec.personal_accounts.conftest import REGION, Region
from tests.support.window_city import plan_text
from yibao.entrypoints.cli.main import app
from yibao.kernel.actor import Actor
from yibao.kernel.business_time import business_date
from yibao.kernel.clock import SystemClock
from yibao.usecases.windows.propose_plan import ProposePlan, propose_plan
from yibao.usecases.windows.publish_plan import PublishPlan, publish_plan

FIRST = Actor(login="clerk.first", channel="cli", regions=(REGION,))
SECOND = Actor(login="clerk.second", channel="cli", regions=(REGION,))
RULE = """
[[rule]]
id = "AH-R1"
disposition = "advance"
when.business = ["account_crediting"]
phase = ["last_call"]
says = "停机前提前划入下一个月的个人账户"
terms.month = "{month}"
mark = "assumed"
terms.assumed_why = "示例"
"""


def plan(*, stop: date, month: date) -> str:
    """Return the plan of Zibo moved so that it stops on a day, with an advance of a month of accounts."""
    moved = (stop - date(2021, 10, 10)).days

    def later(match: re.Match[str]) -> str:
        return (date.fromisoformat(match[0]) + timedelta(days=moved)).isoformat()

    text = re.sub(r"20\d\d-\d\d-\d\d", later, plan_text("zibo-2021"))
    kept = [line for line in text.splitlines() if not line.startswith(("stop_says", "restart_says"))]
    return "\n".join(kept) + RULE.format(month=f"{month:%Y-%m}")


@pytest.fixture
def region(fresh_database_url: str) -> Region:
    """Open a region with one retiree, who owes no dues: 106.00 a month below 70, 131.00 from 70 on."""
    opened = Region(fresh_database_url)
    opened.execute("insert into platform.region (admdvs, name) values ($1, '淄博市') on conflict do nothing", REGION)
    psn_no = opened.person(born=date(1950, 3, 1))
    opened.relation(psn_no, psn_type="1201", kind="")
    return opened


def publish(region: Region, text: str) -> None:
    """Publish a plan by two people, now."""
    now = SystemClock().now()

    async def both(tx: Any) -> None:
        proposed: Any = await propose_plan(tx, ProposePlan(admdvs=REGION, text=text, reason=""), actor=FIRST, now=now,
                                           ids=region.ids)
        assert hasattr(proposed, "version"), proposed
        done: Any = await publish_plan(tx, PublishPlan(admdvs=REGION, name="zibo-2021", version=proposed.version), actor=SECOND,
                                       now=now, ids=region.ids)
        assert done.state == "published", done

    region.run(both)


def credit(region: Region, month: date) -> tuple[int, dict[str, Any]]:
    """Credit a month at the terminal."""
    ran = CliRunner().invoke(app, ["account", "credit", REGION, f"{month:%Y-%m}", "--json"],
                             env={"YIBAO_DATABASE_URL": region.url})
    return ran.exit_code, dict(json.loads(ran.stdout))


def test_a_month_to_come_is_credited_before_the_stop_where_the_plan_says_so(region: Region) -> None:
    today = business_date(SystemClock().now())
    month = (today.replace(day=1) + timedelta(days=32)).replace(day=1)
    code, answer = credit(region, month)
    assert (code, answer["ok"]) == (1, False)
    assert "不能预先划入以后月份" in json.dumps(answer, ensure_ascii=False)

    stop = today + timedelta(days=3)
    publish(region, plan(stop=stop, month=month))
    code, answer = credit(region, month)
    assert (code, answer["ok"]) == (0, True), answer
    balance = region.fetch("select balance_fen from ledger.personal_account")
    assert [r["balance_fen"] for r in balance] == [13_100]
    # Once, and no further than the plan says.
    assert credit(region, month)[0] == 0
    assert [r["balance_fen"] for r in region.fetch("select balance_fen from ledger.personal_account")] == [13_100]
    later = (month + timedelta(days=32)).replace(day=1)
    assert credit(region, later)[0] == 1
