"""3401, 3401A, 3402, 3403 and 5101: departments are opened, changed and closed, and close only when nobody lies there."""

from __future__ import annotations

import asyncio
import itertools
import threading
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import asyncpg
import pytest

from tests.support.storeroom import send, today
from tests.support.till import Till
from tests.support.ward import ward_of
from yibao.demo.description import ENDPOINT
from yibao.kernel.business_time import SHANGHAI

_codes = itertools.count(1)


def new_code() -> str:
    return f"K{next(_codes):03d}"


def department(code: str, **changes: Any) -> dict[str, Any]:
    return {
        "hosp_dept_codg": code, "caty": "A03", "hosp_dept_name": f"科室{code}", "begntime": "2026-02-01 00:00:00",
        "itro": "一个科室", "dept_resper_name": "王主任", "dept_resper_tel": "0533-1", "dept_estbdat": "1999-05-01 00:00:00",
        "aprv_bed_cnt": 40, "hi_crtf_bed_cnt": 30, "poolarea_no": "370300", "dr_psncnt": 5, "phar_psncnt": 0, "nurs_psncnt": 9,
        "tecn_psncnt": 1,
    } | changes


def closing(code: str, **changes: Any) -> dict[str, Any]:
    return {"data": {"hosp_dept_codg": code, "hosp_dept_name": f"科室{code}", "begntime": "2026-02-01"} | changes}


def shown(till: Till, code: str) -> dict[str, Any] | None:
    found = send(till, "5101", "").output["feedetail"]
    return next((row for row in found if row["hosp_dept_codg"] == code), None)


def execute(url: str, sql: str, *values: Any) -> Any:
    async def run() -> Any:
        connection = await asyncpg.connect(url)
        try:
            return await connection.fetch(sql, *values)
        finally:
            await connection.close()

    return asyncio.run(run())


@pytest.mark.drives("3401", "3402", "3403", "5101")
def test_a_department_from_its_opening_to_its_end(till: Till, world_url: str) -> None:
    code = new_code()
    assert send(till, "3401", {"deptinfo": department(code)}).ok
    row = shown(till, code)
    assert row is not None
    told = department(code) | {"hi_crtf_bed_cnt": 30}
    assert {name: row[name] for name in told if name not in ("poolarea_no",)} == {
        name: value for name, value in told.items() if name not in ("poolarea_no",)
    }
    assert row["endtime"] is None
    assert send(till, "3402", {"deptinfo": department(code, aprv_bed_cnt=50, dept_resper_name="李主任")}).ok
    row = shown(till, code)
    assert row is not None
    assert (row["aprv_bed_cnt"], row["dept_resper_name"]) == (50, "李主任")
    assert send(till, "3403", closing(code)).ok
    row = shown(till, code)
    assert row is not None
    assert row["endtime"] == f"{today()} 00:00:00"
    # Under the same code it may open again; what was told before stays on record.
    assert send(till, "3401", {"deptinfo": department(code, begntime=f"{today()} 00:00:00")}).ok
    kinds = execute(
        world_url, "select kind from institutions.department_change where dept_code = $1 order by change_id", code
    )
    assert [k["kind"] for k in kinds] == ["opened", "changed", "closed", "reopened"]


@pytest.mark.drives("3401A")
def test_several_departments_open_together_or_not_at_all(till: Till) -> None:
    first, second = new_code(), new_code()
    assert send(till, "3401A", {"deptinfo": [department(first), department(second)]}).ok
    assert shown(till, first) is not None
    third = new_code()
    refused = send(till, "3401A", {"deptinfo": [department(third), department(second), department(third)]})
    assert not refused.ok
    for path in ("deptinfo[1].hosp_dept_codg", "deptinfo[2].hosp_dept_codg"):
        assert path in refused.reason
    assert shown(till, third) is None


@pytest.mark.drives("3402", "3403")
def test_a_department_closes_only_when_nobody_lies_there(till: Till, world: dict[str, Any]) -> None:
    first, second = new_code(), new_code()
    for code in (first, second):
        assert send(till, "3401", {"deptinfo": department(code, aprv_bed_cnt=1, hi_crtf_bed_cnt=0)}).ok
    ward = ward_of(till, world["base_url"] + ENDPOINT)
    patient = next(p for p in world["patients"] if p["insutype"] == "310" and p["insuplc_admdvs"][:4] == "3703")
    begin = datetime.now(SHANGHAI) - timedelta(hours=5)
    stay = ward.admit(patient, begin, adm_dept_codg=first, adm_dept_name=f"科室{first}")
    assert "1名在院患者" in send(till, "3403", closing(first)).reason
    assert "在院患者" in send(till, "3402", {"deptinfo": department(first, endtime="2027-01-01 00:00:00")}).reason
    assert "超过批准床位" in send(till, "3402", {"deptinfo": department(first, aprv_bed_cnt=0, hi_crtf_bed_cnt=0)}).warning
    # The patient is moved: the one department may close, the other not.
    ward.change(stay, adm_dept_codg=second, adm_dept_name=f"科室{second}")
    assert send(till, "3403", closing(first)).ok
    assert "1名在院患者" in send(till, "3403", closing(second)).reason
    ward.discharge(stay, begin + timedelta(hours=2))
    assert send(till, "3403", closing(second)).ok
    ward.close()


@pytest.mark.parametrize(("changes", "reason"), [
    ({"endtime": "2026-01-31 00:00:00"}, "结束时间不晚于开始时间"),
    ({"aprv_bed_cnt": -1, "hi_crtf_bed_cnt": 0}, "不能为负"),
    ({"hi_crtf_bed_cnt": 41}, "多于批准床位"),
    ({"nurs_psncnt": -3}, "人数不能为负"), ({"aprv_bed_cnt": 99_999_999_999}, "超过99999"),
    ({"dr_psncnt": 1.5}, "应为整数"), ({"aprv_bed_cnt": "30.5"}, "应为整数"),
])
def test_what_cannot_be_a_department_is_refused(till: Till, changes: dict[str, Any], reason: str) -> None:
    code = new_code()
    refused = send(till, "3401", {"deptinfo": department(code, **changes)})
    assert not refused.ok
    assert reason in refused.reason
    assert shown(till, code) is None


def test_an_end_is_the_first_closed_day(till: Till) -> None:
    for ends, shown_end in (("2090-01-01 00:00:00", "2090-01-01 00:00:00"), ("2090-01-01 23:59:59", "2090-01-02 00:00:00"),
                            ("9999-12-31 23:59:59", None)):
        code = new_code()
        assert send(till, "3401", {"deptinfo": department(code, endtime=ends)}).ok
        row = shown(till, code)
        assert row is not None
        assert row["endtime"] == shown_end


def test_whoever_closes_the_wrong_department_does_not_succeed(till: Till) -> None:
    code = new_code()
    send(till, "3401", {"deptinfo": department(code)})
    refused = send(till, "3403", closing(code, hosp_dept_name="别的科室", begntime="2025-02-01"))
    assert "科室名称" in refused.reason
    assert "开始时间" in refused.reason


def test_pharmacies_have_no_departments(till_for: Callable[..., Till]) -> None:
    shop, code = till_for(kind="2"), new_code()
    for infno, content in (("3401", {"deptinfo": department(code)}), ("3402", {"deptinfo": department(code)}),
                           ("3403", closing(code))):
        assert "没有科室" in send(shop, infno, content).reason


# ───────────────────────── every state against every message ─────────────────────────

STEPS: dict[str, Callable[[str], tuple[str, Any]]] = {
    "open": lambda code: ("3401", {"deptinfo": department(code)}),
    "open_in_batch": lambda code: ("3401A", {"deptinfo": [department(code)]}),
    "change": lambda code: ("3402", {"deptinfo": department(code, aprv_bed_cnt=41)}),
    "change_with_end": lambda code: ("3402", {"deptinfo": department(code, endtime="2090-01-01 00:00:00")}),
    "close": lambda code: ("3403", closing(code)),
}
STATES = {"unknown": [], "open": ["open"], "ending": ["open", "change_with_end"], "closed": ["open", "close"],
          "reopened": ["open", "close", "open"]}
ALLOWED = {
    "unknown": {"open", "open_in_batch"}, "open": {"change", "change_with_end", "close"},
    "ending": {"change", "change_with_end", "close"}, "closed": {"open", "open_in_batch"},
    "reopened": {"change", "change_with_end", "close"},
}
REASONS = {"open": "已登记", "open_in_batch": "已登记", "change": ("没有这个科室", "撤销"),
           "change_with_end": ("没有这个科室", "撤销"), "close": ("没有这个科室", "撤销")}


@pytest.mark.parametrize(("state", "step"), list(itertools.product(STATES, STEPS)))
def test_every_message_in_every_state(till: Till, state: str, step: str) -> None:
    code = new_code()
    for before in STATES[state]:
        assert send(till, *STEPS[before](code)).ok
    row = shown(till, code)
    reply = send(till, *STEPS[step](code))
    assert reply.ok == (step in ALLOWED[state]), reply.reason
    if not reply.ok:
        wanted = REASONS[step]
        assert any(text in reply.reason for text in ((wanted,) if isinstance(wanted, str) else wanted))
        assert shown(till, code) == row


def test_of_two_who_open_the_same_department_at_once_one_is_told(till_for: Callable[..., Till]) -> None:
    tills = [till_for(), till_for()]
    for _ in range(5):
        code, replies, barrier = new_code(), [], threading.Barrier(2)

        def work(till: Till, code: str = code, to: list[bool] = replies, barrier: threading.Barrier = barrier) -> None:
            barrier.wait()
            to.append(send(till, "3401", {"deptinfo": department(code)}).ok)

        threads = [threading.Thread(target=work, args=(till,)) for till in tills]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sorted(replies) == [False, True]
