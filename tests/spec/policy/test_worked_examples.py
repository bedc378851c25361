"""Published worked examples come out to the fen, each through the decision that also settles at the counter."""

from __future__ import annotations

import csv
import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
import pytest
from typer.testing import CliRunner

from yibao.entrypoints.cli.main import app
from yibao.policy.decide import decide
from yibao.policy.explain import explain_steps
from yibao.usecases.policies.example_rows import ExampleRow, FileFault, read_rows
from yibao.usecases.policies.worked_examples import (
    COMPUTATIONS,
    Worked,
    packaged_regions,
    prepare,
    work,
    work_examples,
)

CASES = Path(__file__).parent / "cases"
PUBLISHED = read_rows((CASES / "worked-examples.csv").read_text(encoding="utf-8"))
OWN = read_rows((CASES / "more-examples.csv").read_text(encoding="utf-8"))
ALL = (*PUBLISHED, *OWN)
BY_ID = {row.id: row for row in ALL}
FAMILIES = {"OU": 13, "IN": 27, "SE": 8, "RE": 10, "MA": 12, "AS": 5, "AC": 9}
REGIONS = packaged_regions()
every_row = pytest.mark.parametrize("row", ALL, ids=lambda row: row.id)


def example(
    inputs: dict[str, Any], params: dict[str, Any], expected: dict[str, Any], **labels: str
) -> ExampleRow:
    """Return a row as it would stand in a file."""
    return ExampleRow("T", labels, json.dumps(inputs), json.dumps(params), json.dumps(expected))


def worked(row: ExampleRow) -> Worked:
    return work(row, REGIONS)


def test_all_84_published_rows_are_here_with_their_sources() -> None:
    numbers = iter(range(1, 85))
    assert [r.id for r in PUBLISHED] == [f"PX-{f}{next(numbers):03d}" for f, n in FAMILIES.items() for _ in range(n)]
    origins = ("[published-authority] ", "[published-web] ", "[constructed] ")
    assert all(r.labels["source"].startswith(origins) for r in PUBLISHED)
    assert all(r.labels["source"] for r in OWN)


def test_every_computation_has_an_example() -> None:
    assert {json.loads(row.inputs)["calc"] for row in ALL} == set(COMPUTATIONS)


@every_row
def test_row_gives_its_expected_result(row: ExampleRow) -> None:
    done = work(row, {})
    assert (done.reason, done.difference, done.ok) == ("", {}, True)
    assert not [note for note in done.notes if "未使用" in note]
    assert done.steps


@every_row
def test_a_result_that_is_one_fen_off_is_noticed(row: ExampleRow) -> None:
    expected = json.loads(row.expected, parse_float=Decimal, parse_int=Decimal)
    for name, value in expected.items():
        off = [*value[:-1], value[-1] + Decimal("0.01")] if isinstance(value, list) else value + Decimal("0.01")
        cell = json.dumps({**expected, name: off}, default=float)
        done = work(msgspec.structs.replace(row, expected=cell), {})
        assert (done.ok, list(done.difference)) == (False, [name])


@every_row
def test_the_steps_are_those_of_the_counters_own_decision(row: ExampleRow) -> None:
    """There is no second calculator: asking the engine directly with the same facts and law gives the same steps."""
    prepared = prepare(row, {})
    counters: dict[str, int] = {}
    steps = []
    for case in prepared.computation.cases:
        if counters:
            case = msgspec.structs.replace(case, counters=dict(counters))
        decision: Any = decide(case, prepared.policy)
        steps += decision.steps
        if prepared.computation.carries:
            counters |= {c.code: counters.get(c.code, 0) + c.delta for c in decision.counters}
    assert work(row, {}).steps == explain_steps(steps)


@every_row
def test_labels_are_not_needed(row: ExampleRow) -> None:
    assert work(msgspec.structs.replace(row, labels={}), {}).ok


@every_row
def test_a_row_needs_no_region(row: ExampleRow) -> None:
    """The city of a row is a label: its own law is not asked, even where it is loaded."""
    assert worked(row).steps == work(row, {}).steps


# ------------------------------------------------------------------ the same, by the law of the named city

BY_CITY = {
    "PX-OU007": {"region": "441300", "on": "2025-06-01", "account_kind": "with_account"},
    "PX-OU008": {"region": "441300", "on": "2025-06-01"},
    "PX-OU009": {"region": "370300", "on": "2021-06-01"},
    "PX-OU010": {"region": "370300", "on": "2025-06-01"},
    "PX-OU011": {"region": "370300", "on": "2025-06-01", "disease_code": "M05400"},
    "PX-OU012": {"region": "370300", "on": "2021-06-01"},
    "PX-OU013": {"region": "370300", "on": "2021-06-01", "disease_code": "M03900"},
    "PX-IN028": {"region": "441300", "on": "2023-06-01", "account_kind": "with_account"},
    "PX-IN033": {"region": "370300", "on": "2025-06-01", "admission": "2"},
    "PX-IN034": {"region": "370300", "on": "2025-06-01", "admission": "3"},
    "PX-IN035": {"region": "370300", "on": "2025-06-01"},
    "PX-IN036": {"region": "370300", "on": "2024-06-01"},
    "PX-IN037": {"region": "370300", "on": "2024-06-01", "admission": "3"},
    "PX-IN039": {"region": "370300", "on": "2024-06-01"},
    "PX-RE057": {"region": "370300", "on": "2025-06-01"},
    "PX-MA067": {"region": "370300", "on": "2024-06-01", "maternity": "birth"},
    "PX-MA068": {"region": "370300", "on": "2024-06-01", "maternity": "birth"},
    "PX-MA069": {"region": "370300", "on": "2024-06-01", "maternity": "birth"},
    "PX-SE046": {"region": "370300", "on": "2024-06-01"},
    "PX-SE047": {"region": "370300", "on": "2024-06-01"},
    "PX-SE048": {"region": "370300", "on": "2024-06-01"},
    "PX-OU006": {"region": "410500", "on": "2022-06-01", "disease_code": "M03900"},
    "PX-IN030": {"region": "510100", "on": "2025-06-01"},
    "PX-IN031": {"region": "510100", "on": "2009-06-01"},
    "PX-IN032": {"region": "510100", "on": "2009-06-01"},
    "PX-RE051": {"region": "340300", "on": "2024-06-01"},
    "PX-RE052": {"region": "340300", "on": "2024-06-01"},
    "PX-RE053": {"region": "340300", "on": "2024-06-01"},
    "PX-MA070": {"region": "500112", "on": "2025-06-01", "enrolment_kind": "grade_1"},
    "PX-AS075": {"region": "500112", "on": "2023-06-01", "identities": "2305"},
}
CHECKED = (
    *("preselfpay_amt", "fulamt_ownpay_amt", "inscp_scp_amt", "act_pay_dedc", "hifp_pay"),
    *("act_dedc_std", "hifmi_pay", "maf_pay"),
)


@pytest.mark.parametrize("name", BY_CITY)
def test_example_by_the_citys_files(name: str) -> None:
    """Where an example is of a city we have loaded, the city's own dated files give the same payments."""
    row = BY_ID[name]
    expected = {k: v for k, v in json.loads(row.expected).items() if k in CHECKED}
    city = msgspec.structs.replace(
        row, params="{}", expected=json.dumps(expected), labels={**row.labels, **BY_CITY[name]}
    )
    done = worked(city)
    assert (done.reason, done.difference) == ("", {})
    rules = {basis.rule for step in done.steps for basis in step.bases}
    assert any(rule[2] == "-" and not rule.startswith("例") for rule in rules)


def test_parameters_of_a_row_stand_over_the_regions_law() -> None:
    """Zibo 2025, level 1, active: 100 deductible is the city's, 50 % is the row's."""
    inputs = {"calc": "settle", "medfee_sumamt": 1100}
    labels = {"region": "370300", "on": "2025-06-01", "insutype": "310", "psn_category": "在职", "hosp_level": "1"}
    ratio = {"pool": {"tiers": [[None, 0.5]]}}
    done = worked(example(inputs, ratio, {"act_pay_dedc": 100, "hifp_pay": 500}, med_type="11", **labels))
    assert (done.reason, done.difference) == ("", {})
    retired = {**labels, "psn_category": "退休"}
    done = worked(example(inputs, ratio, {"hifp_pay": 500}, med_type="11", **retired))
    assert done.ok, "the bonus of the retired belongs to the ratio that the row replaces"


@pytest.mark.parametrize(
    ("params", "expected"),
    [
        ({"pool_cap": 300}, {"act_pay_dedc": 100, "hifp_pay": 300}),  # 900 × 80 % by the city, cut at the row's 300
        ({"dedc": 400}, {"act_pay_dedc": 400, "hifp_pay": 480}),  # 600 × 80 %
        ({"item_limit": 500}, {"act_pay_dedc": 100, "hifp_pay": 320}),  # 400 × 80 %
        ({"rloc": {"preselfpay_prop": 0.1}}, {"preselfpay_amt": 100, "hifp_pay": 640}),  # (900 − 100) × 80 %
        ({"cvlserv": {"ratio": 0.5}}, {"hifp_pay": 720, "cvlserv_pay": 140, "psn_part_amt": 140}),
        ({"dedc_by_cnt": [700, 200]}, {"act_pay_dedc": 200, "hifp_pay": 640}),
        ({"topup": {"floor": 900}}, {"hifp_pay": 900}),
    ],
)
def test_each_parameter_may_stand_over_the_regions_law(params: dict[str, Any], expected: dict[str, Any]) -> None:
    """Zibo 2025, level 1, active outpatient: deductible 100, ratio 80 % of 1000."""
    inputs = {"calc": "settle", "medfee_sumamt": 1000, "ipt_cnt": 2}
    labels = {"region": "370300", "on": "2025-06-01", "insutype": "310", "psn_category": "在职", "hosp_level": "1"}
    done = worked(example(inputs, params, expected, med_type="11", **labels))
    assert (done.reason, done.difference) == ("", {})


def test_the_regions_counters_start_from_what_the_row_says() -> None:
    inputs = {"calc": "settle", "medfee_sumamt": 1000, "prior": {"dedc_paid": 60}}
    labels = {"region": "370300", "on": "2025-06-01", "insutype": "310", "psn_category": "在职", "hosp_level": "1"}
    assert worked(example(inputs, {}, {"act_pay_dedc": 40}, med_type="11", **labels)).ok


# ------------------------------------------------------------------ ways of writing


@pytest.mark.parametrize(
    ("bands", "age", "expected"),
    [
        ({"70+": 0.5}, None, 500),  # one band alone says that it applies
        ({"60-69": 0.8, "70+": 0.5}, 69, 800),
        ({"60-69": 0.8, "70+": 0.5}, 70, 500),
        ({"60-69": 0.8, "70+": 0.5}, 59, 1000),
        ({"<18": 0.5, ">=60": 0.8}, 17, 500),
        ({"<18": 0.5, "≥60": 0.8}, 60, 800),
        ({"60至69岁": 0.8, "70岁以上": 0.5}, 75, 500),
    ],
)
def test_factor_of_the_age(bands: dict[str, float], age: int | None, expected: int) -> None:
    inputs = {"calc": "dedc", "admissions": [{"lv": "3"}], **({} if age is None else {"age": age})}
    params = {"dedc_std": {"3": 1000}, "age_factor": bands}
    assert work(example(inputs, params, {"act_dedc_std": [expected]}), {}).ok


def test_levels_may_be_called_anything() -> None:
    inputs = {"calc": "dedc", "admissions": [{"lv": "三甲"}, {"lv": 2}, {"lv": "社区"}]}
    params = {"dedc_std": {"三甲": 900, "2": 600, "社区": 100}, "dedc_step_down": 50}
    assert work(example(inputs, params, {"act_dedc_std": [900, 550, 0]}), {}).ok


def test_names_of_layers_may_hold_anything() -> None:
    params = {"maf": [{"name": 'a "b" \\ \n', "ratio": 0.5}]}
    assert work(example({"calc": "maf", "selfpay_in_scope_after_hifmi": 10}, params, {"maf_pay": 5}), {}).ok


def test_numbers_are_taken_exactly() -> None:
    """Half of 0.29 is 0.145, to the fen 0.15; as a binary fraction it would be less."""
    inputs, params = '{"calc":"settle","medfee_sumamt":0.29}', '{"pool":{"tiers":[[null,0.5]]}}'
    assert work(ExampleRow("T", {}, inputs, params, '{"hifp_pay":0.15}'), {}).ok
    texts = '{"calc":"settle","medfee_sumamt":"1e3"}'
    assert work(ExampleRow("T", {}, texts, params, '{"hifp_pay":"500"}'), {}).ok


def test_what_earlier_payers_left_is_no_fund_of_this_row() -> None:
    row = example({"calc": "hifmi", "selfpay_in_scope_cum": 30000}, {"hifmi": {"ratio": 0.5}}, {"fund_pay_sumamt": 15000})
    assert work(row, {}).ok


# ------------------------------------------------------------------ files and rows that are not right

SETTLE = {"calc": "settle", "medfee_sumamt": 1000}
HALF = {"pool": {"tiers": [[None, 0.5]]}}
BAD = {
    "no calc": ({"medfee_sumamt": 1}, {}, "calc"),
    "unknown calc": ({"calc": "magic"}, {}, "magic"),
    "no ratio": (SETTLE, {"dedc": 1}, "比例"),
    "ratio above one": (SETTLE, {"pool": {"tiers": [[None, 85]]}}, "统筹支付的比例"),
    "ratio too fine": (SETTLE, {"pool": {"tiers": [[None, 0.33333]]}}, "四位"),
    "amount too fine": ({**SETTLE, "medfee_sumamt": 0.001}, HALF, "只能到分"),
    "amount in words": ({**SETTLE, "medfee_sumamt": "一千"}, HALF, "medfee_sumamt"),
    "negative amount": ({**SETTLE, "medfee_sumamt": -5}, HALF, "负数"),
    "amount beyond sense": ({**SETTLE, "medfee_sumamt": 1e300}, HALF, "范围"),
    "parts above the whole": ({**SETTLE, "fulamt_ownpay_amt": 2000}, HALF, "总费用"),
    "tiers of a wrong shape": (SETTLE, {"pool": {"tiers": [0.5]}}, "pool.tiers"),
    "tiers that fall": (SETTLE, {"pool": {"tiers": [[200, 0.5], [100, 0.6]]}}, "递增|增大"),
    "unknown band axis": (SETTLE, {"pool": {"base": "middle", "tiers": [[None, 0.5]]}}, "middle"),
    "level without standard": ({"calc": "dedc", "admissions": [{"lv": "4"}]}, {"dedc_std": {"3": 1}}, "4"),
    "no admissions": ({"calc": "dedc"}, {"dedc_std": {"3": 1}}, "admissions"),
    "several ages, none said": (
        {"calc": "dedc", "admissions": [{"lv": "3"}]},
        {"dedc_std": {"3": 1}, "age_factor": {"60-69": 0.8, "70+": 0.5}},
        "age",
    ),
    "no wage": ({"calc": "allowance", "days": 98}, {"divisor": 30}, "工资"),
    "divisor nothing": ({"calc": "allowance", "avg_wage_month": 1, "days": 98}, {"divisor": 0}, "divisor|除数"),
    "unknown rounding": (
        {"calc": "allowance", "avg_wage_month": 1, "days": 98},
        {"divisor": 30, "rounding": "nearest ten"},
        "nearest ten",
    ),
    "no base of assistance": ({"calc": "maf"}, {"maf": [{"ratio": 0.5}]}, "救助基数"),
    "paid more than the cost": ({"calc": "identity", "medfee_sumamt": 10, "inscp_scp_amt": 5, "hifp_pay": 6}, {}, "大于"),
    "nothing to contribute from": ({"calc": "contribution"}, {"rate": 0.1}, "base"),
    "no lump": ({"calc": "lump", "medfee_sumamt": 10}, {}, "lump"),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_row_says_why(name: str) -> None:
    inputs, params, said = BAD[name]
    done = work(example(inputs, params, {"hifp_pay": 1}), {})
    assert (done.ok, done.got) == (False, {})
    assert any(word in done.reason for word in said.split("|")), done.reason


@pytest.mark.parametrize(("column", "cell"), [("inputs", "{"), ("inputs", "[]"), ("params", '{"a": NaN}'), ("expected", "")])
def test_a_cell_that_is_no_json_object_says_which(column: str, cell: str) -> None:
    row = msgspec.structs.replace(BY_ID["PX-OU001"], **{column: cell})
    done = work(row, {})
    assert not done.ok
    assert "JSON" in done.reason


def test_a_result_that_nobody_computes_is_named() -> None:
    done = work(example(SETTLE, HALF, {"hifp_pay": 500, "allowance": 1}), {})
    assert (done.ok, done.got) == (False, {"hifp_pay": Decimal("500.00")})
    assert "allowance" in done.reason


def test_nothing_expected_is_not_right() -> None:
    assert not work(example(SETTLE, HALF, {}), {}).ok


def test_unknown_keys_are_named_and_explaining_ones_are_not() -> None:
    inputs = {**SETTLE, "rloc_type": "filed", "prior": {"dedc_paid": 0, "visits": 2}}
    done = work(example(inputs, {**HALF, "retired_rule": "…", "pool_capp": 1}, {"hifp_pay": 500}), {})
    assert done.ok
    assert done.notes == ("未使用的字段：prior.visits、pool_capp",)


def test_an_unknown_region_is_named() -> None:
    done = worked(example(SETTLE, HALF, {"hifp_pay": 500}, region="999999", on="2025-01-01"))
    assert "999999" in done.reason


@pytest.mark.parametrize("fact", [{"age": "old"}, {"on": "yesterday"}, {"on": ""}])
def test_a_fact_of_a_regional_row_that_cannot_be_read_is_named(fact: dict[str, str]) -> None:
    labels = {"region": "370300", "on": "2025-01-01", **fact}
    done = worked(example(SETTLE, HALF, {"hifp_pay": 500}, **labels))
    assert next(iter(fact)) in done.reason


@pytest.mark.parametrize("text", ["", "id,inputs\n", 'id,inputs,policy_params,expected\n"a'])
def test_what_is_no_table_of_examples_is_refused_whole(text: str) -> None:
    with pytest.raises(FileFault):
        work_examples(text, regions={})


def test_one_bad_row_does_not_stop_the_others() -> None:
    text = (CASES / "worked-examples.csv").read_text(encoding="utf-8").splitlines()
    mixed = "\ufeff" + "\n".join([text[0], "X,,,,,,,{,{},{},", *text[1:3]])
    assert [w.ok for w in work_examples(mixed, regions={})] == [False, True, True]


# ------------------------------------------------------------------ the command


def run(*words: str) -> tuple[int, str]:
    result = CliRunner().invoke(app, ["policy", "cases", *words])
    return result.exit_code, result.stdout


def test_the_command_answers_in_json() -> None:
    code, text = run(str(CASES / "worked-examples.csv"), "--json")
    answers = json.loads(text)
    assert code == 0
    assert len(answers) == 84
    assert all({"id", "ok", "expected", "got", "steps"} <= set(answer) for answer in answers)
    assert answers[0]["got"] == answers[0]["expected"]


def test_the_command_shows_expected_got_and_difference(tmp_path: Path) -> None:
    file = tmp_path / "one.csv"
    with file.open("w", encoding="utf-8", newline="") as out:
        writer = csv.writer(out)
        writer.writerow(["id", "inputs", "policy_params", "expected"])
        writer.writerow(["A-1", json.dumps(SETTLE), json.dumps(HALF), '{"hifp_pay": 499.99}'])
    code, text = run(str(file))
    assert code == 1
    assert {"A-1", "499.99", "500.00", "0.01"} <= set(text.split())


def test_a_file_that_cannot_be_read_is_a_usage_error(tmp_path: Path) -> None:
    assert run(str(tmp_path / "nowhere.csv"))[0] == 2
    file = tmp_path / "empty.csv"
    file.write_text("", encoding="utf-8")
    assert run(str(file))[0] == 2
