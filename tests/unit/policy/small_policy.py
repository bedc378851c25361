"""A small invented region for unit tests: every text part can be replaced or added to."""

from __future__ import annotations

from datetime import date

from yibao.policy.case import Case, InstitutionFacts, LineGroup, PersonFacts
from yibao.policy.law.loading import load_policy
from yibao.policy.law.parameters import RegionPolicy

REGION = "990000"
DAY = date(2025, 6, 1)

HEAD = f"""
format = 1
admdvs = "{REGION}"
region = "样例市"
[person_classes]
active = {{ name = "在职职工", psn_type = ["11"] }}
retired = {{ name = "退休人员", psn_type = ["12"] }}
[diseases]
diabetes = {{ name = "糖尿病", codes = ["M016*"] }}
stroke = {{ name = "脑卒中", codes = ["M04803"] }}
lupus = {{ name = "红斑狼疮", codes = ["M071*"] }}
[traits]
children = "儿童专科医院"
[identities]
"2303" = "低保对象"
[sources]
A = {{ title = "样例文件", where = "第三条", reliability = "H" }}
L = {{ title = "转载", where = "某网站", reliability = "L" }}
"""


def block(key: str, rows: str, more: str = "") -> str:
    """Return one ``[[parameter]]`` from 2020 on, official unless ``more`` or the rows say otherwise."""
    official = 'mark = "official"\nsource = "A"\nclause = "第一条"\nfrom = 2020-01-01\n'
    for line in more.splitlines():
        name = line.split("=")[0].strip()
        official = "".join(f"{kept}\n" for kept in official.splitlines() if not kept.startswith(f"{name} ="))
    return f'\n[[parameter]]\nkey = "{key}"\nname = "{key}"\n{official}{more}\nrows = [\n{rows}\n]\n'


BENEFIT = block(
    "benefit",
    '{ rule = "R-0", value = "visit", title = "样例门诊" }',
    'when = { insutype = "310", med_type = "11" }\nclr_type = "11"',
)
FUND = block("fund", '{ rule = "R-F", value = "310100", field = "hifp_pay" }')
GENERAL = (
    block("rounding", '{ rule = "R-1", value = "half_up" }')
    + block("benefit_year", '{ rule = "R-2", value = "service_date" }')
    + block("order", '{ rule = "R-3", value = ["pool", "own_account", "cash"] }')
)
ACCOUNT = block("account.pays", '{ rule = "R-4", value = "person_part" }')
DEDUCTIBLE = block("deductible", '{ rule = "R-5", value = "100元" }', 'counter = "visit.deductible"')
RATIO = block("pool_ratio", '{ rule = "R-6", value = "70%" }')
CAP = block("pool_cap", '{ rule = "R-7", value = "1000元" }', 'counter = "visit.pool"')
WHOLE = HEAD + BENEFIT + FUND + GENERAL + ACCOUNT + DEDUCTIBLE + RATIO + CAP


def small_policy(text: str = WHOLE) -> RegionPolicy:
    """Compile a text as the region's only file."""
    return load_policy({"small.toml": text})


def small_case(
    in_scope: int,
    *,
    counters: dict[str, int] | None = None,
    own: int = 0,
    psn_type: str = "1101",
    level: str = "1",
    med_type: str = "11",
    day: date = DAY,
    disease: str = "",
    recognised: tuple[str, ...] = (),
    balance: int = 0,
    use_account: bool = False,
    traits: tuple[str, ...] = (),
    insutype: str = "310",
) -> Case:
    """Return a case of the small region. Amounts in fen."""
    return Case(
        admdvs=REGION,
        service_on=day,
        insutype=insutype,
        med_type=med_type,
        person=PersonFacts(psn_type, 40, account_kind="with_account", paid_months=24),
        institution=InstitutionFacts("H99000000001", "1", level, traits),
        lines=(LineGroup(in_scope + own, own, 0, 0, in_scope),),
        disease_code=disease,
        counters=counters or {},
        account_balance=balance,
        use_account=use_account,
        recognised=recognised,
    )


ORDER = GENERAL.replace('["pool", "own_account", "cash"]', '["pool", "serious", "own_account", "cash"]')
INDEX = block("index", '{ rule = "R-W", value = "84000元" }', 'index = "wage"')
LAYER = block(
    "layer",
    '{ rule = "R-L", value = "serious", title = "大病保险" }',
    'when = { insutype = "310" }\nfund = "390200"\nfield = "hifmi_pay"\ncounter = "serious.cost"\n'
    'paid_counter = "serious.paid"',
)
LAYER_RATIO = block(
    "layer_ratio",
    '{ rule = "R-LR", bands = [{ to = "100000元", ratio = "60%" }, { ratio = "65%" }] }',
    'layer = "serious"\nbase = "absolute"',
)
LAYER_DEDUCTIBLE = block(
    "layer_deductible",
    '{ rule = "R-LD", value = { share = "20%", of = "index.wage" } }',
    'layer = "serious"',
)
LAYER_CAP = block("layer_cap", '{ rule = "R-LC", value = "400000元" }', 'layer = "serious"')
WITH_LAYER = (
    HEAD + BENEFIT + FUND + ORDER + DEDUCTIBLE + RATIO + CAP + INDEX + LAYER + LAYER_RATIO
    + LAYER_DEDUCTIBLE + LAYER_CAP
)  # fmt: skip
"""The small region with a layer above the pool."""
