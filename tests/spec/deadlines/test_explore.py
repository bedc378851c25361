from datetime import date, datetime
import json
from yibao.usecases.contributions.assess_month import assess_month
def test_x(city_at):
    city = city_at("2021-01-05 08:00")
    city.publish("huizhou-2021")
    for k in ("patients","more_stories","played"):
        for p in city.world[k]:
            if p["insuplc_admdvs"]=="441300": print(k,p["story"],p["psn_no"],p["insutype"])
    print(city.fetch("select kind, what, rule from deadlines.term"))
    done = city.with_database(lambda d: assess_month(d, admdvs="441300", month=date(2021,1,1), now=city.clock.now(), shelf=city.shelf))
    print(done)
    for r in city.fetch("select psn_no, due_id, payer_no, payer_kind, total_fen, bill_id, state from contributions.due where admdvs='441300' and insutype='310' limit 20"): print(r)
    for r in city.fetch("select emp_no, count(*) from enrolment.relation where admdvs='441300' and insutype='310' group by 1"): print(r)
    for r in city.fetch("select kind, count(*) from contributions.work_case group by 1"): print(r)
    print([i["fixmedins_code"] for i in city.world["institutions"] if i["admdvs"][:4]=="4413"], city.world["institutions"][0])
    assert 0
