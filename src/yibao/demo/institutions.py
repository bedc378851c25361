"""The invented institutions: hospitals and pharmacies with agreements, departments, staff and keys."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from functools import cache
from random import Random

import msgspec

from yibao.demo.chance import stream, token
from yibao.demo.names import credit_code, person_name
from yibao.demo.places import read_data, regions
from yibao.kernel import identity_number

PASSWORD_LENGTH = 10
OPERATOR = "0001"
"""Operator number that the demo's examples send as ``opter``."""


class Blueprint(msgspec.Struct, frozen=True):
    """An institution as the data file describes it; ``agreement`` is valid, expired or suspended."""

    region: str
    division: str
    serial: int
    name: str
    kind: str
    level: str
    scheme: str
    departments: tuple[str, ...]
    hosp_lv: str | None = None
    traits: tuple[str, ...] = ()
    agreement: str = "valid"

    @property
    def code(self) -> str:
        """Return the national institution code: H or P, division, five digits."""
        return f"{'H' if self.kind == '1' else 'P'}{self.division}{self.serial:05d}"


class Blueprints(msgspec.Struct, frozen=True):
    """The data file: department names by class, institutions in order."""

    departments: dict[str, str]
    institution: tuple[Blueprint, ...]


class Department(msgspec.Struct, frozen=True):
    """One row of ``institutions.department`` without the institution's own columns."""

    dept_code: str
    name: str
    caty: str
    head_name: str
    beds: int


class Practitioner(msgspec.Struct, frozen=True):
    """One row of ``institutions.practitioner``; ``kind`` of table medins_psn_type."""

    code: str
    name: str
    kind: str
    certno: str
    dept_code: str


class Site(msgspec.Struct, frozen=True):
    """An institution with everything that belongs to it."""

    plan: Blueprint
    uscc: str
    agreement_no: str
    agreement_from: date
    agreement_to: date
    suspended_on: date | None
    access_key: str
    secret: str
    departments: tuple[Department, ...]
    practitioners: tuple[Practitioner, ...]
    operator_name: str


class StaffLogin(msgspec.Struct, frozen=True):
    """A login for the pages of one institution; the password is for the demo only."""

    login: str
    fixmedins_code: str
    admdvs: str
    name: str
    password: str


@cache
def blueprints() -> Blueprints:
    """Return the institutions of the data file."""
    return msgspec.toml.decode(read_data("institutions.toml"), type=Blueprints)


def sites(*, seed: int, today: date) -> Iterator[Site]:
    """Yield the institutions; agreements are dated around ``today`` so that they hold for years."""
    for ordinal, plan in enumerate(blueprints().institution, 1):
        rng = stream(seed, "institution", plan.code)
        departments = tuple(_departments(rng, plan))
        signs = plan.scheme != "none"
        yield Site(
            plan=plan,
            uscc=credit_code(plan.division, 90_000_000 + ordinal, kind="12" if plan.kind == "1" else "91"),
            agreement_no=f"XY{plan.region}{today.year - 5}{ordinal:04d}",
            agreement_from=date(today.year - 5, 1, 1),
            agreement_to=date(today.year, 1, 1) if plan.agreement == "expired" else date(today.year + 6, 1, 1),
            suspended_on=date(today.year, 1, 1) if plan.agreement == "suspended" else None,
            access_key=f"ak{token(seed, plan.code, 'key')[:18]}" if signs else "",
            secret=token(seed, plan.code, "secret")[:32] if signs else "",
            departments=departments,
            practitioners=tuple(_practitioners(rng, plan, departments, ordinal)),
            operator_name=person_name(rng, is_male=rng.random() < 0.5),
        )


def staff_of(site: Site, *, seed: int) -> StaffLogin:
    """Return the login of an institution's insurance office."""
    code = site.plan.code
    return StaffLogin(
        login=code.lower(), fixmedins_code=code, admdvs=site.plan.region, name=site.operator_name,
        password=token(seed, code, "password")[:PASSWORD_LENGTH],
    )


def _departments(rng: Random, plan: Blueprint) -> Iterator[Department]:
    for caty in plan.departments:
        yield Department(
            dept_code=caty.removeprefix("A").replace(".", ""),
            name=blueprints().departments[caty],
            caty=caty,
            head_name=person_name(rng, is_male=rng.random() < 0.5),
            beds=0 if plan.level == "1" or plan.kind == "2" else rng.randrange(20, 80),
        )


def _practitioners(
    rng: Random, plan: Blueprint, departments: tuple[Department, ...], ordinal: int
) -> Iterator[Practitioner]:
    """Yield two doctors a department and one pharmacist; a pharmacy has pharmacists only."""
    roles = [] if plan.kind == "2" else [("1", "D", d.dept_code) for d in departments for _ in range(2)]
    roles += [("3", "HY" if plan.kind == "1" else "Y", departments[-1].dept_code)] * (1 if plan.kind == "1" else 2)
    region = next(r for r in regions() if r.admdvs == plan.region)
    for number, (kind, prefix, dept_code) in enumerate(roles, 1):
        is_male = rng.random() < 0.5
        birth_on = date(1960 + rng.randrange(35), rng.randrange(1, 13), rng.randrange(1, 29))
        serial = ordinal * 40 + number
        yield Practitioner(
            code=f"{prefix}{plan.division}{serial:06d}",
            name=person_name(rng, is_male=is_male),
            kind=kind,
            certno=identity_number.make(region.story_identity_division, birth_on, serial % 400 * 2 + is_male),
            dept_code=dept_code,
        )
