"""Describes the running demo for strangers' clients: what ``demo.json`` and ``yibao demo --json`` hold.

The keys that clients may rely on: base_url, endpoint, regions, institutions, patients, items. Everything
beside them is an addition: ``played`` are patients whose visit was settled already, ``more_stories`` go to
another institution, need a flag, or are refused; ``first_visit`` is the visit that the demo settles by itself.
Amounts and ratios are JSON numbers.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any

import asyncpg

from yibao.demo.agency import describe_agency
from yibao.demo.chance import token
from yibao.demo.formulary import Good, formulary
from yibao.demo.hospital import IDENTITY_CARD
from yibao.demo.institutions import OPERATOR, PASSWORD_LENGTH, blueprints
from yibao.demo.places import regions
from yibao.demo.stories import FIRST_VISIT, Story, StoryLine, Visit, institution_of, stories
from yibao.demo.world import SEED
from yibao.domains.access.passwords import matches
from yibao.infra.database import Database
from yibao.infra.policy_files import read_policy_files
from yibao.kernel.money import WHOLE, yuan_to_fen
from yibao.policy.law.loading import load_policy
from yibao.policy.law.parameters import RegionPolicy
from yibao.policy.lines import default_first_pay

ENDPOINT = "/fsi/api/rsfComIfsService/callService"

_INSTITUTIONS = """
select i.*, s.login, s.name as opter_name, s.password_hash from institutions.institution i
left join access.staff s on s.login = lower(i.fixmedins_code)
"""
_DEPARTMENTS = """
select fixmedins_code, dept_code, name as dept_name, caty from institutions.department
where closed_on is null order by fixmedins_code, dept_code
"""
_DOCTORS = """
select p.fixmedins_code, p.code as dr_codg, p.name as dr_name, p.dept_code, d.name as dept_name
from institutions.practitioner p
join institutions.department d on d.fixmedins_code = p.fixmedins_code and d.dept_code = p.dept_code
where p.left_on is null order by p.fixmedins_code, p.code
"""
_PATIENTS = """
select p.psn_no, p.name, p.certno, p.story, r.insutype, r.psn_type, r.admdvs, coalesce(a.balance_fen, 0) as balance_fen,
       (select count(*) from settlements.settlement s
        where s.psn_no = p.psn_no and s.year = $1 and s.kind = 'settlement' and s.state = 'active') as visits
from people.person p
join enrolment.relation r on r.psn_no = p.psn_no
left join ledger.personal_account a on a.psn_no = p.psn_no
where p.story is not null
"""
_TERMS = """
select admdvs, code, class_level, first_pay from catalogue.term
where valid_from <= $1 and (valid_to is null or valid_to > $1)
"""


async def describe(
    database: Database, *, base_url: str, today: date, seed: int = SEED, endpoint: str = ENDPOINT
) -> dict[str, Any]:
    """Return the description of the demo, ready for JSON.

    Args:
        database: connected as the owner of the tables.
        base_url: where the server answers, without a slash at the end.
        today: business day; prices' terms and the stories' year are of this day.
        seed: the world's seed, which the pages' passwords follow from.
    """
    policies = {code: load_policy(texts) for code, texts in read_policy_files().items()}
    people = {row["story"]: row for row in await database.fetch(_PATIENTS, today.year)}
    named = [s for s in stories() if s.key in people and s.key != FIRST_VISIT]
    return {
        "base_url": base_url,
        "endpoint": endpoint,
        "regions": [r.admdvs for r in regions()],
        "institutions": await _institutions(database, seed),
        "patients": [_patient(s, people[s.key]) for s in named if not s.apart and _is_next(s, people[s.key])],
        "items": _items(await database.fetch(_TERMS, today), policies, today),
        "region_names": {r.admdvs: r.name for r in regions()},
        "played": [_patient(s, people[s.key]) for s in named if not s.apart and not _is_next(s, people[s.key])],
        "more_stories": [_patient(s, people[s.key]) | _apart(s) for s in named if s.apart],
        "first_visit": next(
            (_patient(s, people[s.key]) | _apart(s) for s in stories() if s.key == FIRST_VISIT and s.key in people), None
        ),
        "agency": await describe_agency(database, base_url=base_url, seed=seed),
        "today": today.isoformat(),
        "note": "人物、机构、价格均为虚构；政策参数为示例参数，非当地现行政策。",
    }


async def _institutions(database: Database, seed: int) -> list[dict[str, Any]]:
    order = {plan.code: n for n, plan in enumerate(blueprints().institution)}
    rows = await database.fetch(_INSTITUTIONS)
    rows.sort(key=lambda row: (order.get(row["fixmedins_code"], len(order)), row["fixmedins_code"]))
    departments = _by_institution(await database.fetch(_DEPARTMENTS))
    doctors = _by_institution(await database.fetch(_DOCTORS))
    knows_passwords = bool(rows) and _password_holds(rows[0], seed)
    return [
        {
            "fixmedins_code": row["fixmedins_code"], "fixmedins_name": row["name"], "admdvs": row["region"],
            "kind": row["kind"], "level": row["level"],
            "auth": {"scheme": row["auth_scheme"], "access_key": row["access_key"], "secret": row["secret"]},
            "opter": OPERATOR, "opter_name": row["opter_name"] or "",
            "departments": departments.get(row["fixmedins_code"], []),
            "doctors": doctors.get(row["fixmedins_code"], []),
            "division": row["admdvs"], "traits": list(row["traits"]),
            "agreement_to": row["agreement_to"].isoformat(), "suspended": row["suspended_on"] is not None,
            "pages": {"login": row["login"], "password": _password(row, seed) if knows_passwords else None},
        }
        for row in rows
    ]


def _by_institution(rows: list[asyncpg.Record]) -> dict[str, list[dict[str, Any]]]:
    found: dict[str, list[dict[str, Any]]] = {}
    for row in rows:
        fields = dict(row)
        found.setdefault(fields.pop("fixmedins_code"), []).append(fields)
    return found


def _password(row: asyncpg.Record, seed: int) -> str:
    return token(seed, row["fixmedins_code"], "password")[:PASSWORD_LENGTH]


def _password_holds(row: asyncpg.Record, seed: int) -> bool:
    """Say whether the world was built with this seed; else its passwords are not ours to tell."""
    return row["password_hash"] is not None and matches(row["password_hash"], _password(row, seed))


def _patient(story: Story, row: asyncpg.Record) -> dict[str, Any]:
    return {
        "story": story.key, "psn_no": row["psn_no"], "psn_name": row["name"], "certno": row["certno"],
        "mdtrt_cert_type": IDENTITY_CARD, "insutype": row["insutype"], "psn_type": row["psn_type"],
        "insuplc_admdvs": row["admdvs"], "balance": _number(Decimal(row["balance_fen"]).scaleb(-2)),
        "visit": _visit(story.visit),
        "expected": {field: _number(amount) for field, amount in story.expected.items()},
        "title": story.title, "text": story.text,
    }


def _is_next(story: Story, row: asyncpg.Record) -> bool:
    """Say whether the visit is still to come; once it was settled, its amounts no longer hold for the next one."""
    untouched: bool = row["balance_fen"] == yuan_to_fen(story.person.balance or Decimal(0))
    waited: bool = row["visits"] == len(story.history)
    return untouched and waited


def _visit(visit: Visit) -> dict[str, Any]:
    return {
        "med_type": visit.med_type, "dise_codg": visit.dise_codg, "diag_code": visit.diag_code,
        "diag_name": visit.diag_name, "lines": [_line(line) for line in visit.fee_lines()],
        "acct_used_flag": "1" if visit.use_account else "0",
    }


def _line(line: StoryLine) -> dict[str, Any]:
    return {
        "med_list_codg": line.good.code, "medins_list_codg": line.good.local_code, "pric": _number(line.pric),
        "cnt": _number(line.cnt), "det_item_fee_sumamt": _number(line.amount), "hosp_appr_flag": line.appr,
        "name": line.good.name,
    }


def _apart(story: Story) -> dict[str, Any]:
    return {"fixmedins_code": institution_of(story, story.visit).code, "refusal": story.refusal}


def _items(
    terms: list[asyncpg.Record], policies: Mapping[str, RegionPolicy], today: date
) -> list[dict[str, Any]]:
    """Return the price list with what a patient pays first; ``selfpay_prop`` is the first region's."""
    by_code: dict[str, dict[str, asyncpg.Record]] = {}
    for row in terms:
        by_code.setdefault(row["code"], {})[row["admdvs"]] = row
    items = []
    for good in formulary().values():
        shares = {
            admdvs: _first_pay(good, row, policies[admdvs], today)
            for admdvs, row in sorted(by_code.get(good.code, {}).items())
            if admdvs in policies
        }
        level = next((row["class_level"] for row in by_code.get(good.code, {}).values()), good.class_level)
        items.append({
            "med_list_codg": good.code, "medins_list_codg": good.local_code, "name": good.name,
            "list_type": good.list_type, "chrgitm_lv": level, "price": _number(good.price),
            "selfpay_prop": next(iter(shares.values()), _number(good.first_pay)),
            "selfpay_prop_by_region": shares,
        })
    return items


def _first_pay(good: Good, term: asyncpg.Record, policy: RegionPolicy, today: date) -> float | int:
    ratio = term["first_pay"]
    if ratio is None:
        row = default_first_pay(
            policy, today, insutype="310", list_type=good.list_type, class_level=term["class_level"]
        )
        ratio = WHOLE if row is None else row.number
    return _number(Decimal(ratio).scaleb(-4))


def _number(value: Decimal) -> float | int:
    """Return a decimal as a JSON number: shown, never reckoned with, and exact up to 15 digits."""
    return int(value) if value == value.to_integral_value() else float(value)
