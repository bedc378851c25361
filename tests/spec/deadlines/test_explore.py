from datetime import date, datetime
import json
from yibao.usecases.contributions.assess_month import assess_month
from tests.support.window_city import plan_text
def test_x(city_at):
    city = city_at("2025-01-05 08:00")
    text = plan_text("huizhou-2021", year=2025).replace('"2021-01"','"2025-01"')
    city.publish(text)
    known = {p["psn_no"]: p["story"] for k in ("patients","more_stories","played") for p in city.world[k]}
    for r in city.fetch("select psn_no, emp_no, psn_type, account_kind, paid_months, benefit_from, status, enrolment_kind from enrolment.relation where admdvs='441300' and insutype='310' and emp_no is not null order by psn_no"): print(known.get(r["psn_no"]), tuple(r.values()))
    for r in city.fetch("select * from applications.choice where admdvs='441300' limit 30"): print(tuple(r.values())[:8])
    for r in city.fetch("select fixmedins_code, level, kind, traits from institutions.institution where admdvs like '4413%'"): print(tuple(r.values()))
    done = city.with_database(lambda d: assess_month(d, admdvs="441300", month=date(2025,1,1), now=city.clock.now(), shelf=city.shelf))
    print(done)
    for r in city.fetch("select says from contributions.work_case limit 5"): print(r)
    print([ (p["story"],p["psn_no"]) for p in city.world["patients"]], city.world.keys())
    print([i for i in city.world["items"]][:6])
    assert 0
