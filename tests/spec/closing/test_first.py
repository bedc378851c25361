import asyncio, asyncpg, msgspec
from datetime import date, datetime, timezone, timedelta
from yibao.kernel.actor import Actor
from yibao.kernel.ids import RandomIds
from yibao.usecases.closing.close_month import CloseMonth, close_month

def test_it(world_url):
    async def run():
        c = await asyncpg.connect(world_url)
        t = c.transaction(); await t.start()
        row = await c.fetchrow("select min(posted_at), max(posted_at), count(*) from ledger.posting")
        print(row)
        m = row[0].date().replace(day=1)
        r = await close_month(c, CloseMonth(admdvs="370300", month=m), actor=Actor(login="a", channel="cli"), now=row[0]+timedelta(days=60), ids=RandomIds())
        print(msgspec.json.format(msgspec.json.encode(r).decode()))
        for x in await c.fetch("select * from closing.voucher_line order by book, number, ordinal"): print(tuple(x))
        await t.rollback(); await c.close()
    asyncio.run(run())
