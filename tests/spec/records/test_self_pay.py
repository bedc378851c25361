"""What patients without insurance paid for is checked, kept, replaced until the visit is complete, and counted."""

from __future__ import annotations

import json
from datetime import date
from typing import Any

import pytest
from typer.testing import CliRunner

from tests.support.messages import filled
from tests.support.till import Refused, Till
from yibao.entrypoints.cli.records import app
from yibao.kernel import identity_number

CERTNO = identity_number.make("370399", date(1980, 1, 1), 1)


def line(till: Till, sn: str = "1", *, visit: str = "ZF", **more: Any) -> dict[str, Any]:
    """Return a fee line of 12.50 x 2."""
    made = filled("4201")["feedetail"][0]
    return {**made, "mdtrt_sn": visit, "feedetl_sn": sn, "certno": CERTNO, "psn_cert_type": "01", "cnt": 2, "pric": 12.5,
            "det_item_fee_sumamt": 25, "bilg_dr_codg": till.counter.dr_codg, "med_type": "11", **more}


def kept(url: str, till: Till, kind: str, visit: str) -> list[dict[str, Any]]:
    result = CliRunner().invoke(
        app, ["documents", "--institution", till.counter.fixmedins_code, "--kind", kind, "--visit", visit, "--versions",
              "--json"], env={"YIBAO_DATABASE_URL": url})
    return list(json.loads(result.stdout)["documents"])


def close(till: Till, visit: str, flag: str = "1", **more: str) -> None:
    till.call("4203", {"fixmedins_mdtrt_id": visit, "fixmedins_code": till.counter.fixmedins_code, "cplt_flag": flag, **more})


@pytest.mark.drives("4203")
def test_a_visit_from_its_lines_to_its_end(till: Till, world_url: str) -> None:
    till.call("4201", {"feedetail": [line(till, "1", visit="V1"), line(till, "2", visit="V1")]})
    till.call("4201", {"feedetail": [line(till, "2", visit="V1", cnt=1, det_item_fee_sumamt=12.5)]})
    rows = kept(world_url, till, "4201", "V1")
    assert [(r["key"], r["version"], r["content"]["det_item_fee_sumamt"]) for r in rows] == [
        ("V1|1", 1, 25), ("V1|2", 1, 25), ("V1|2", 2, 12.5)]
    assert CERTNO not in json.dumps(rows)
    close(till, "V1")
    [closing] = kept(world_url, till, "4203", "V1")
    assert (closing["content"]["lines"], closing["content"]["total"]) == (2, 37.5)
    with pytest.raises(Refused, match=r"已上传完成.*先用4203取消"):
        till.call("4201", {"feedetail": [line(till, "3", visit="V1")]})
    close(till, "V1", "0")
    till.call("4201", {"feedetail": [line(till, "3", visit="V1")]})
    close(till, "V1")
    assert kept(world_url, till, "4203", "V1")[-1]["content"]["lines"] == 3


@pytest.mark.parametrize(("change", "said"), [
    ({"det_item_fee_sumamt": 25.02}, "不等于单价×数量"), ({"certno": "370399198001010011"}, "不是有效的身份证号码"),
    ({"fee_ocur_time": "2099-01-01 08:00:00"}, "日期晚于今天"), ({"cnt": None}, "必填"),
])
def test_a_faulty_line_is_refused_and_none_is_kept(till: Till, world_url: str, change: dict[str, Any], said: str) -> None:
    with pytest.raises(Refused, match=said):
        till.call("4201", {"feedetail": [line(till, "1", visit="BAD"), line(till, "2", visit="BAD", **change)]})
    assert kept(world_url, till, "4201", "BAD") == []


def test_wrong_orders(till: Till) -> None:
    with pytest.raises(Refused, match="没有这次就诊的自费明细"):
        close(till, "NOT-SEEN")
    till.call("4201", {"feedetail": [line(till, visit="V2")]})
    with pytest.raises(Refused, match="并未标为完成"):
        close(till, "V2", "0")
    with pytest.raises(Refused, match="只能完成本机构的上传"):
        close(till, "V2", fixmedins_code="H37030399999")
    with pytest.raises(Refused, match="完成标志只能是0或1"):
        close(till, "V2", "2")
    with pytest.raises(Refused, match="两份相同编号"):
        till.call("4201", {"feedetail": [line(till, visit="V2"), line(till, visit="V2")]})
    with pytest.raises(Refused, match=r"没有费用明细|至少"):
        till.call("4201", {"feedetail": []})


def test_what_has_no_field_table_is_refused_by_name(till: Till) -> None:
    for infno in ("4201A", "4202", "4204", "4205", "4206", "4207", "4208", "4209"):
        with pytest.raises(Refused, match=r"尚未开通|没有字段表"):
            till.call(infno, {"data": {}})
