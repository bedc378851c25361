import pytest
from tests.support.window_city import *
def test_x(city_at):
    city=city_at("2021-10-08 08:00")
    print([ (p["story"],p["psn_no"],p.get("insutype"),list(p)) for k in ("patients","more_stories","played") for p in city.world[k]][:60])
    print(city.fetch("select state,payer_kind,kind,count(*) from contributions.bill group by 1,2,3"))
    print(city.fetch("select state,count(*) from encounters.encounter group by 1"))
    print(city.fetch("select admdvs,count(*) from applications.chronic_recognition group by 1"))
    print(city.fetch("select state,count(*) from services.application group by 1"))
    print(city.world["agency"]["keys"].keys(), city.world["agency"]["keys"]["370300"].keys())
    assert 0
