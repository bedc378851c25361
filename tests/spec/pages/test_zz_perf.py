import time, json
from tests.spec.pages import world
from tests.spec.pages.conftest import *
async def test_perf(ours, filled):
    await filled.fetch("""insert into platform.message select $1, 'X'||g, '370300','2207','answered','P'||(g%5000),'V'||(g/4),'S'||g,
      convert_to(repeat(md5(g::text),40),'utf8'), '\\x00', convert_to(repeat(md5(g::text),40),'utf8'), $2::timestamptz - g*interval '40 seconds', $2::timestamptz - g*interval '40 seconds' + interval '3 ms'
      from generate_series(1,200000) g""", world.OURS, world.NOW)
    await filled.fetch("analyze platform.message")
    async def t(label):
        for q in ({}, {"q":world.PSN}, {"q":"V777"}, {"q":world.SETTLED}, {"q":"X77"}, {"all":"1"}):
            best=9
            for _ in range(3):
                a=time.perf_counter(); r=await ours.get("/institution/messages",params=q); best=min(best,time.perf_counter()-a)
            print(label,q,r.status_code,round(best*1000),"ms")
    await t("before")
    await filled.fetch("create index on platform.message (sender, received_at)")
    await t("time idx")
    pass
    await filled.fetch("analyze platform.message")
    await t("all idx")
