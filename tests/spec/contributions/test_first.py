"""smoke"""
from datetime import date
from tests.spec.contributions.conftest import *
from yibao.usecases.contributions.assess_month import assess_month
from yibao.usecases.contributions.assess_residents import assess_residents

async def test_smoke(town):
    await town.employer("E1")
    p=await town.person(emp_no="E1", wage_fen=300000)
    f=await town.person(kind="flexible", account_kind="pool_only")
    print(await assess_month(town.database, admdvs="370300", month=date(2024,7,1), now=noon("2024-07-05"), shelf=SHELF))
    print(await assess_month(town.database, admdvs="370300", month=date(2024,7,1), now=noon("2024-07-05"), shelf=SHELF))
    print(await town.dues())
    print(await town.send("2024-07-06"))
    b=await town.bill("E1"); print(dict(b))
    print(await town.pay("P1", b["bill_id"], b["amount_fen"], on="2024-07-10", payer_no="E1"))
    print(await town.arrive("A1", ("P1",), b["amount_fen"], on="2024-07-11"))
    print(await town.dues(), await town.balance("bank:370300"), await town.balance("fund:370300:310100"), await town.balance("unallocated:370300"))
    print(await town.breaches())
    assert 0
