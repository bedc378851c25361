"""Who plays in a proof: tills, patients and goods of the world under proof, and the same for the plain twin."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from random import Random
from typing import Any

from tests.proofs.platform import Served
from tests.support.till import Counter, Till
from tests.twin.settlement_twin import NotCovered, Twin, TwinLine, TwinPerson, TwinSettlement
from yibao.kernel.business_time import SHANGHAI

_PATIENTS = """
select p.psn_no, p.certno, r.insutype, r.psn_type, r.admdvs as insuplc_admdvs, r.account_kind, r.paid_months,
       coalesce(a.balance_fen, 0) as balance_fen,
       coalesce((select array_agg(c.disease_code order by c.disease_code) from applications.chronic_recognition c
                 where c.psn_no = p.psn_no and c.valid_to is null), '{}') as recognised
from people.person p
join enrolment.relation r on r.psn_no = p.psn_no
left join ledger.personal_account a on a.psn_no = p.psn_no
where p.story is null and p.died_on is null and r.status = '1' and r.benefit_from <= $1 and not r.civil_servant
  and not exists (select from enrolment.special_identity s where s.psn_no = p.psn_no)
  and (select count(*) from enrolment.relation x where x.psn_no = p.psn_no) = 1
order by p.psn_no
"""
_SITES = """
select i.fixmedins_code, i.name as fixmedins_name, i.kind, i.region, i.level, i.traits, i.auth_scheme, i.access_key, i.secret,
       d.code as dr_codg, d.name as dr_name, d.dept_code, t.name as dept_name
from institutions.institution i
join lateral (select * from institutions.practitioner x where x.fixmedins_code = i.fixmedins_code
              and (x.kind = '1' or i.kind = '2') and x.left_on is null order by x.code limit 1) d on true
join institutions.department t on t.fixmedins_code = i.fixmedins_code and t.dept_code = d.dept_code
where i.agreement_to > $1 and i.suspended_on is null order by i.fixmedins_code
"""
_GOODS = """
select t.admdvs, i.code, i.list_type, t.class_level, t.first_pay, t.restricted, i.negotiated, l.level, l.limit_micro
from catalogue.term t join catalogue.item i on i.code = t.code
left join catalogue.price_limit l on l.admdvs = t.admdvs and l.code = t.code and l.valid_from <= $1
     and (l.valid_to is null or l.valid_to > $1)
where i.origin = 'national' and t.valid_from <= $1 and (t.valid_to is null or t.valid_to > $1)
  and (i.valid_to is null or i.valid_to > $1) and i.valid_from <= $1 and i.list_type in ('101', '201')
  and t.admdvs = any($2) and i.code = any($3)
order by t.admdvs, i.code
"""
_REGIONS = ("370300", "441300")
_GOODS_PER_REGION = 60


@dataclass(frozen=True)
class Site:
    """A hospital with its way to sign, and what the law looks at."""

    counter: Counter
    region: str
    level: str
    children: bool
    traits: tuple[str, ...] = ()


@dataclass(frozen=True)
class Good:
    """Something that can be charged; limits by the hospital's level, yuan."""

    code: str
    list_type: str
    class_level: str
    first_pay: Decimal | None
    restricted: bool
    group: str
    limits: dict[str, Decimal]


@dataclass
class Patient:
    """A person as a till knows him or her (``wire``) and as the twin does."""

    wire: dict[str, Any]
    region: str
    twin: TwinPerson
    balance: Decimal


@dataclass(frozen=True)
class Bill:
    """A visit to be charged: as sent, and as the twin reckons it."""

    visit: dict[str, Any]
    lines: list[TwinLine]
    use_account: bool


@dataclass
class Cast:
    """Everybody; drawn from in an order that follows from the seed alone."""

    served: Served
    sites: dict[str, list[Site]]
    goods: dict[str, list[Good]]
    patients: list[Patient]
    pharmacies: dict[str, list[Counter]]
    _turn: Iterator[int] = field(init=False)
    _in_bed: set[str] = field(default_factory=set, init=False)

    def __post_init__(self) -> None:
        self._turn = iter(range(10**9))

    def patient(self, *, insutype: str = "") -> Patient:
        """Return the next person in turn, with an own account that is not empty if ``insutype`` is 310."""
        while True:
            found = self.patients[next(self._turn) % len(self.patients)]
            if not insutype or (found.twin.insutype == insutype and (insutype != "310" or found.balance)):
                return found

    def patient_for_a_stay(self, *, insutype: str = "") -> Patient:
        """Return the next person who was not admitted in this proof: nobody lies in two beds at once."""
        for _ in self.patients:
            found = self.patient(insutype=insutype)
            if found.twin.psn_no not in self._in_bed:
                self._in_bed.add(found.twin.psn_no)
                return found
        raise AssertionError("everybody has been admitted once; the world is too small for so many stays")

    def till(self, site: Site, **options: Any) -> Till:
        """Return a new till of a hospital."""
        return Till(self.served.endpoint, site.counter, **options)

    def pharmacy(self, region: str) -> Counter:
        """Return the first pharmacy of a region."""
        return self.pharmacies[region][0]

    def home(self, patient: Patient) -> Site:
        """Return the first hospital of a person's region."""
        return self.sites[patient.region][0]


def gather(served: Served, rng: Random, *, benefit_by: date | None = None) -> Cast:
    """Read the world and shuffle it; of the people those whose benefits had begun by a day, today if none is given."""
    today = datetime.now(SHANGHAI).date()
    sites: dict[str, list[Site]] = {region: [] for region in _REGIONS}
    pharmacies: dict[str, list[Counter]] = {region: [] for region in _REGIONS}
    for row in served.books.fetch(_SITES, today):
        counter = Counter(
            row["fixmedins_code"], row["fixmedins_name"], row["region"], row["auth_scheme"], row["access_key"],
            row["secret"], "proof01", "收费员", row["dr_codg"], row["dr_name"], row["dept_code"], row["dept_name"],
        )
        if row["kind"] == "2":
            pharmacies[row["region"]].append(counter)
        else:
            sites[row["region"]].append(Site(
                counter, row["region"], row["level"], "children" in row["traits"], tuple(row["traits"])
            ))
    patients = [_patient(row) for row in served.books.fetch(_PATIENTS, benefit_by or today)]
    rng.shuffle(patients)
    for found in sites.values():
        rng.shuffle(found)
    return Cast(served, sites, _goods(served, rng), patients, pharmacies)


def _patient(row: Any) -> Patient:
    wire = {name: row[name] for name in ("psn_no", "certno", "insutype", "psn_type", "insuplc_admdvs")}
    person = TwinPerson(
        row["psn_no"], row["insutype"], row["psn_type"], row["account_kind"], row["paid_months"], tuple(row["recognised"])
    )
    return Patient(wire, row["insuplc_admdvs"], person, Decimal(row["balance_fen"]).scaleb(-2))


def _goods(served: Served, rng: Random) -> dict[str, list[Good]]:
    today = datetime.now(SHANGHAI).date()
    codes = [row["code"] for row in served.books.fetch(
        "select t.code from catalogue.term t group by t.code having count(distinct t.admdvs) > 1 order by t.code"
    )]
    found: dict[tuple[str, str], Good] = {}
    for row in served.books.fetch(_GOODS, today, list(_REGIONS), rng.sample(codes, min(len(codes), 500))):
        first_pay = None if row["first_pay"] is None else Decimal(row["first_pay"]).scaleb(-4)
        good = found.setdefault((row["admdvs"], row["code"]), Good(
            row["code"], row["list_type"], row["class_level"], first_pay, row["restricted"],
            "negotiated" if row["negotiated"] else "", {},
        ))
        if row["level"] is not None:
            good.limits[row["level"]] = Decimal(row["limit_micro"]).scaleb(-6)
    goods: dict[str, list[Good]] = {region: [] for region in _REGIONS}
    for (region, _), good in found.items():
        goods[region].append(good)
    return {region: rng.sample(some, min(len(some), _GOODS_PER_REGION)) for region, some in goods.items()}


def draw_bill(cast: Cast, rng: Random, patient: Patient, site: Site, *, top_yuan: int = 400, lines: int = 3) -> Bill:
    """Draw a visit of a person at a hospital: up to ``lines`` lines of at most ``top_yuan`` each."""
    wire, twin = [], []
    for _ in range(rng.randint(1, lines)):
        good = rng.choice(cast.goods[patient.region])
        price, count = Decimal(rng.randint(100, top_yuan * 100)).scaleb(-2), Decimal(rng.randint(1, 3))
        approved = rng.choice("011") if good.restricted else "0"
        wire.append({
            "med_list_codg": good.code, "medins_list_codg": "L" + good.code[-8:], "pric": float(price), "cnt": int(count),
            "det_item_fee_sumamt": float(price * count), "hosp_appr_flag": approved,
        })
        twin.append(TwinLine(
            price, count, good.list_type, good.class_level, good.first_pay, good.limits.get(site.level),
            good.restricted, approved, group=good.group,
        ))
    chronic = bool(patient.twin.recognised) and rng.random() < 0.4
    use_account = rng.random() < 0.7
    return Bill({
        "med_type": "14" if chronic else "11", "dise_codg": patient.twin.recognised[0] if chronic else "",
        "diag_code": "K29.500", "diag_name": "慢性胃炎", "lines": wire, "acct_used_flag": "1" if use_account else "0",
    }, twin, use_account)


def by_twin(twin: Twin, patient: Patient, site: Site, bill: Bill) -> TwinSettlement | None:
    """Settle a bill by the twin; None if the city has no rule for it."""
    try:
        return twin.settle(
            patient.twin, site.level, bill.lines, datetime.now(SHANGHAI).date(), use_account=bill.use_account,
            med_type=bill.visit["med_type"], disease=bill.visit["dise_codg"], children_hospital=site.children,
        )
    except NotCovered:
        return None
