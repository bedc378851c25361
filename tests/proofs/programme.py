"""Which proofs there are, what each is made of, and how large it is in CI and in full."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from tests.proofs import (
    api,
    batch_kills,
    clearing_kills,
    columns,
    crowds,
    cuts,
    database_kills,
    fuzz_proof,
    kills,
    law_twin,
    meetings,
    month,
    one_person,
    perturb,
    properties,
    restore,
    window,
    window_orders,
)
from tests.proofs.platform import Platform, Result
from tests.proofs.year import run as year

MONEY = (
    "src/yibao/app.py", "src/yibao/entrypoints/gateway", "src/yibao/entrypoints/server.py", "src/yibao/usecases/settlement",
    "src/yibao/usecases/visits", "src/yibao/usecases/verification", "src/yibao/domains/encounters",
    "src/yibao/domains/settlements", "src/yibao/ledger", "src/yibao/infra", "src/yibao/kernel",
)
MOVES_MONEY = (
    *MONEY, "src/yibao/usecases/stays", "src/yibao/usecases/pharmacy", "src/yibao/usecases/clearing",
    "src/yibao/domains/clearing", "src/yibao/domains/dispensing",
)
ROOMS = ("enrolment", "contributions", "entitlement", "personal_accounts", "closing", "exchange")
REGION = (
    *MONEY, "src/yibao/policy", "src/yibao/data/policies", "src/yibao_parties",
    *(f"src/yibao/usecases/{room}" for room in (*ROOMS, "payouts")), *(f"src/yibao/domains/{room}" for room in ROOMS),
)
API = ("src/yibao/entrypoints/api", "src/yibao/usecases/access", "src/yibao/domains/access", "src/yibao/data/access")
PURE_LAW = ("src/yibao/policy", "src/yibao/data/policies", "src/yibao/kernel")
LAW = ("src/yibao/policy", "src/yibao/data/policies", *MONEY)
WIRE = ("src/yibao/entrypoints/gateway", "src/yibao/data/interface", "src/yibao/usecases", "src/yibao/infra", "src/yibao/kernel")


@dataclass(frozen=True)
class Part:
    """One counted check.

    Attributes:
        key: its number in the fault programme, or its name.
        tells: what it does, for the page of proofs.
        full: N of ``make proof``; CI: N of ``make test``.
        covers: the code that it proves; a change there makes it old.
    """

    key: str
    tells: str
    run: Callable[[int, int, Platform], Result]
    full: int
    ci: int
    covers: tuple[str, ...] = MONEY


PROOFS: dict[str, tuple[Part, ...]] = {
    "faults": (
        Part(
            "F01",
            "工作进程在每个命名点被 kill -9（门诊、住院、中途、药店结算，各自的撤销与冲正，清算申请），客户端用同一报文ID重试",
            kills.run_f01, 604, 151, MOVES_MONEY,
        ),
        Part(
            "F01C", "经办机构的复核、支付、回盘命令在写完一切、尚未提交时被 kill -9，再做一次：每笔只付一次，应付归零",
            clearing_kills.run, 14, 1, MOVES_MONEY,
        ),
        Part(
            "F02", "上述任一报文发出后 0–12 毫秒内任意时刻 kill -9 正在处理的工作进程", kills.run_f02, 440, 44, MOVES_MONEY,
        ),
        Part("F03", "提交之后，答复在每一个字节处被切断（FIN 与 RST 各一次）", cuts.run, 0, 100),
        Part(
            "F06", "50 个窗口同时用不同报文ID办同一笔结算、撤销或清算申请：恰有一笔成功，其余按名拒绝", crowds.run_f06, 105, 14,
            MOVES_MONEY,
        ),
        Part("F06R", "50 个窗口同时用同一门诊号挂号：恰有一个成功，其余被告知号已用", crowds.run_registrations, 100, 5),
        Part(
            "F07", "动钱的任一报文同时到达 50 次：执行一次，50 份答复逐字节相同", crowds.run_f07, 110, 11, MOVES_MONEY,
        ),
        Part(
            "F08", "50 个窗口同时为同一人结算、撤销、冲正、重发：不透支、不超限，按提交顺序与笨算法逐笔相同",
            one_person.run, 100, 10, LAW,
        ),
        Part("MEET", "用锁安排五种偶遇：重发追上首发、冲正遇上在途结算、后到的先结算、结算中撤销或增加明细", meetings.run, 20, 3),
        Part("F15", "四个客户端不停结算，kill -9 整个 PostgreSQL 再启动：已答复的全部仍在", database_kills.run, 10, 2),
    ),
    "properties": (
        Part(
            "I1", "生成的账单逐行逐单保持全部恒等式；结算、撤销、再结算的结局与笨算法相同；试算等于结算",
            properties.run, 10_000, 300, (*LAW, "tests/twin"),
        ),
        Part(
            "TWIN", "两市 2021–2026 年的门诊、住院、生育、异地账单及统筹以上各层，逐笔与笨算法相同", law_twin.run, 20_000, 2_000,
            (*PURE_LAW, "tests/twin"),
        ),
    ),
    "perturb": (
        Part(
            "PERT", "逐一改动两市政策文件的每个参数（取值、日期、条件、代码、取整、顺序），至少有一个手算的算例不再成立",
            perturb.run, 0, 60,
            (*PURE_LAW, "tests/spec/policy/cases", "tests/spec/policy/test_city_cases.py", "tests/spec/policy/test_zibo.py",
             "tests/spec/policy/test_huizhou.py", "tests/proofs/perturb.py"),
        ),
    ),
    "columns": (
        Part(
            "COLUMNS", "全部已载入城市、各个日期的随机账单：窗口的逐笔计算与成列计算逐分相同，拒绝也相同", columns.run, 1_000_000,
            100_000, PURE_LAW,
        ),
    ),
    "month": (
        Part(
            "MONTH",
            "一个月的门诊、住院、药店购药，含撤销、冲正、丢失的答复和迟到的账单：账目为零、累计与笨算法相同、"
            "各机构自己的账与平台逐笔相符、清算等于病例之和", month.run, 2_000, 60,
            (*LAW, "src/yibao/usecases/stays", "src/yibao/usecases/pharmacy", "src/yibao/usecases/reconciliation",
             "src/yibao/usecases/clearing", "tests/twin"),
        ),
    ),
    "year": (
        Part(
            "YEAR",
            "一个统筹区从空库到十八个月结账（2024 年 7 月至 2025 年 12 月）：参保、核定、缴费、到账、划账、退休、死亡、就诊，"
            "每月结账且各表等于自己另记的账，同一种子同一摘要", year.run, 10_000, 300, REGION,
        ),
        Part(
            "OFFICES", "同样的日子再过一遍，各外部单位轮流停一周：业务挂起可见，恢复后按序补办，最后的业务事实与未受干扰时相同",
            year.run_disturbed, 600, 60, REGION,
        ),
        Part(
            "F11", "核定、划账、支付文件、税务对账在随机一行处被 kill -9，再做一次：每行只做一次，文件逐字节相同",
            batch_kills.run, 50, 8, REGION,
        ),
    ),
    "api": (
        Part("WALK", "按 OpenAPI 对每个操作生成请求：没有 500，没有不合描述的答复", api.walk, 60, 1, API),
        Part("LINKS", "按 OpenAPI 的链接一步接一步地走：没有 500，没有不合描述的答复", api.links, 300, 4, API),
        Part("FOREIGN", "随机探查别的统筹区的人、单位和业务：一行也看不到", api.foreign, 10_000, 300, API),
    ),
    "restore": (
        Part("RESTORE", "数据目录在负载下丢失，从归档恢复：每个已确认的答复都在", restore.run, 20, 1, MONEY),
    ),
    "window": (
        Part(
            "WINDOW",
            "一座城市停机九天再恢复：就诊照常发生、登记后补录，材料造册，缴费在途，税务和银行停机；再过一遍，其间随机 kill -9 "
            "工作进程和数据库：登记册无遗留，现金、账目为零，两遍的业务事实相同", window.run, 10_000, 300,
            (*REGION, "src/yibao/usecases/windows", "src/yibao/domains/windows", "src/yibao/usecases/episodes",
             "src/yibao/domains/episodes", "src/yibao/usecases/backfill", "src/yibao/usecases/registers",
             "src/yibao/domains/registers", "src/yibao/usecases/resettlement", "src/yibao/data/plans"),
        ),
        Part(
            "ORDERS", "停机期间的费用以任意先后补录，每一笔与从未停机的城市逐分相同；撤销后可再来", window_orders.run, 1_000, 50,
            (*LAW, "src/yibao/usecases/backfill", "src/yibao/usecases/resettlement", "src/yibao/domains/episodes"),
        ),
    ),
    "messages": (
        Part("F18", "每个报文的每个字段逐一出错：没有 500，没有写入一半，拒绝都指明字段", fuzz_proof.run, 20_000, 0, WIRE),
    ),
}


def find(name: str) -> tuple[str, tuple[Part, ...]]:
    """Return the proof of a name, or the one proof and part of a key such as ``F08``.

    Raises:
        KeyError: there is no such proof.
    """
    if name in PROOFS:
        return name, PROOFS[name]
    for proof, parts in PROOFS.items():
        for part in parts:
            if part.key.lower() == name.lower():
                return proof, (part,)
    raise KeyError(name)
