"""Lives around a window, drawn from a seed: care before, across, inside and after the stop, at several hospitals.

The same life is lived in two cities with the same people: one has a window, its hospitals send in late and in any order;
the other never stopped and everything was settled in the order of service. What a patient bears must be the same.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from random import Random
from typing import Any

import msgspec

from tests.support.late_care import LateCare, fen, line
from tests.support.till import total
from tests.support.ward import Ward, wire
from tests.support.window_city import City, at

STOP, RESTART, NOW = "2025-10-10 00:00", "2025-10-19 00:00", "2025-10-28 08:00"
"""The window of the plan in that year, and when its bills are sent in."""
_DISPOSITIONS = ("pay_full_backfill", "deposit", "hold_open", "capture_credential", "convert_self_pay")
PEOPLE = """
select p.psn_no, p.certno, p.name as psn_name, r.insutype, r.psn_type, r.admdvs as insuplc_admdvs
from people.person p join enrolment.relation r on r.psn_no = p.psn_no
where r.admdvs = '370300' and r.status = '1' and r.insutype in ('310', '390') and r.benefit_from <= '2025-01-01'
  and r.benefit_to is null and p.died_on is null and p.story is null
  and not exists (select from settlements.settlement s where s.psn_no = p.psn_no)
order by p.psn_no
"""
IN_FORCE = """
select s.setl_id, s.mdtrt_id, s.fixmedins_code, s.person_fen, s.cash_fen, s.account_fen, s.fund_fen, s.deductible_fen
from settlements.settlement s where s.psn_no = $1 and s.kind = 'settlement' and s.state = 'active'
order by s.settled_at, s.setl_id
"""


class Care(msgspec.Struct, kw_only=True):
    """One visit or stay of a life, and how its hospital noted it; ``noted`` ``""``: nobody did."""

    kind: str
    hospital: int
    begin: datetime
    end: datetime
    lines: list[dict[str, Any]]
    number: str
    position: str
    noted: str = ""
    paid_fen: int = 0
    mdtrt_id: str = ""
    episode_id: str = ""

    @property
    def is_bound(self) -> bool:
        """Say whether it is settled when its turn is: it ended before the stop, or began after the restart."""
        return not self.noted and self.position in ("", "P1")


class Life(msgspec.Struct):
    """Somebody and the care of one autumn, in the order of service."""

    patient: Mapping[str, Any]
    cares: list[Care]
    account: str


def position_of(begin: datetime, end: datetime) -> str:
    """Return where care lies, by the table of nine cells: a plain second opinion."""
    stop, restart = at(STOP), at(RESTART)
    if begin >= restart:
        return ""
    if end < stop:
        return "P1"
    before, after = begin < stop, end >= restart
    return {(True, False): "P3", (True, True): "P4", (False, False): "P5", (False, True): "P6"}[before, after]


def draw_life(rng: Random, patient: Mapping[str, Any], items: Sequence[Mapping[str, Any]], ordinal: int) -> Life:
    """Draw a life with three to seven bills, one of them at least touched by the stop."""
    while True:
        cares = _draw(rng, items, ordinal)
        if 3 <= len(cares) <= 7 and any(c.position in ("P3", "P4", "P5", "P6") for c in cares):
            return Life(patient, cares, rng.choice("01") if patient["insutype"] == "310" else "0")


def _draw(rng: Random, items: Sequence[Mapping[str, Any]], ordinal: int) -> list[Care]:
    cares: list[Care] = []
    now = at("2025-10-03 08:00") + timedelta(hours=rng.randrange(72))
    while now < at("2025-10-26 00:00"):
        is_stay = rng.random() < 0.35
        end = now + timedelta(hours=rng.choice((rng.randrange(20, 150), rng.randrange(240, 400)))) if is_stay else now
        if end >= at("2025-10-27 00:00"):
            break
        most = 30_000 if is_stay else 2_500
        lines = [line(item, rng.randrange(2_000, most * 100) / 100) for item in rng.sample(list(items), rng.choice((1, 2)))]
        care = Care(
            kind="stay" if is_stay else "outpatient", hospital=rng.randrange(2), begin=now, end=end, lines=lines,
            number=f"{'ZY' if is_stay else 'MZ'}{ordinal:05d}-{len(cares)}", position=position_of(now, end),
        )
        if care.position and rng.random() < 0.7:
            care.noted = rng.choice(_DISPOSITIONS)
            bill = fen(total(lines))
            care.paid_fen = {"pay_full_backfill": bill, "deposit": rng.randrange(1, bill)}.get(care.noted, 0)
        cares.append(care)
        now = end + timedelta(hours=rng.randrange(3, 96))
    return cares


def draw_order(rng: Random, life: Life) -> list[Care]:
    """Return an order of entry: what is late comes anywhere, the others when it is their turn."""
    early = [c for c in life.cares if c.is_bound and c.position == "P1"]
    bound = [c for c in life.cares if c.is_bound and not c.position]
    order = [c for c in life.cares if not c.is_bound]
    rng.shuffle(order)
    places = sorted(rng.randrange(len(order) + 1) for _ in bound)
    for n, (place, care) in enumerate(zip(places, bound, strict=True)):
        order.insert(place + n, care)
    return [*early, *order]


class Stage:
    """A city with its hospitals, where lives are lived."""

    def __init__(self, city: City, *, has_window: bool) -> None:
        self.city, self.has_window = city, has_window
        self.hospitals = [LateCare(city, city.ward("370300", n)) for n in range(2)]

    def enter(self, life: Life) -> list[Care]:
        """Enter everything of a life but its money; notes come first, where the city has a window."""
        entered = []
        for care in life.cares:
            mine, hospital = msgspec.structs.replace(care), self.hospitals[care.hospital]
            if self.has_window and care.noted:
                mine.episode_id = hospital.note(
                    life.patient, care.kind, care.number, f"{care.begin:%Y-%m-%d %H:%M:%S}", f"{care.end:%Y-%m-%d %H:%M:%S}",
                    paid_fen=care.paid_fen, disposition=care.noted, position=care.position,
                )
            mine.mdtrt_id = _enter(hospital, life.patient, care)
            entered.append(mine)
        return entered

    def settle(self, life: Life, care: Care) -> dict[str, Any]:
        """Settle one bill."""
        hospital, key = self.hospitals[care.hospital], {"psn_no": life.patient["psn_no"], "mdtrt_id": care.mdtrt_id}
        bill = {
            "data": {**key, "mdtrt_cert_type": "02", "mdtrt_cert_no": life.patient["certno"],
                     "medfee_sumamt": total(care.lines), "psn_setlway": "01", "insutype": life.patient["insutype"],
                     "acct_used_flag": life.account, "invono": "", "fulamt_ownpay_amt": 0, "overlmt_selfpay": 0,
                     "preselfpay_amt": 0, "inscp_scp_amt": 0},
        }
        if care.kind == "stay":
            bill["data"]["mid_setl_flag"] = "0"
            return hospital.settle("2304", bill, life.patient)
        bill["data"] |= {"med_type": "11", "chrg_bchno": "1"}
        return hospital.settle("2207", bill, life.patient)

    def in_force(self, life: Life) -> list[dict[str, Any]]:
        """Return the settlements in force as the owner of the database sees them, in the order counted."""
        return self.city.fetch(IN_FORCE, life.patient["psn_no"])

    def undo(self, life: Life, cares: Sequence[Care]) -> None:
        """Cancel everything, the one counted last first."""
        known = {c.mdtrt_id: c for c in cares}
        for row in reversed(self.in_force(life)):
            care = known[row["mdtrt_id"]]
            data = {"psn_no": life.patient["psn_no"], "mdtrt_id": care.mdtrt_id, "setl_id": row["setl_id"]}
            infno = "2305" if care.kind == "stay" else "2208"
            self.hospitals[care.hospital].till.call(infno, {"data": data}, insured_place=life.patient["insuplc_admdvs"])

    def borne(self, life: Life, cares: Sequence[Care]) -> dict[str, tuple[int, ...]]:
        """Return by the hospitals' numbers who bears what of each bill: patient, cash, account, funds, deductible."""
        number = {c.mdtrt_id: c.number for c in cares}
        return {
            number[r["mdtrt_id"]]: (r["person_fen"], r["cash_fen"], r["account_fen"], r["fund_fen"], r["deductible_fen"])
            for r in self.in_force(life)
        }


def _enter(hospital: LateCare, patient: Mapping[str, Any], care: Care) -> str:
    if care.kind != "stay":
        content = hospital.begin(patient, wire(care.begin), care.lines, visit_no=care.number)
        return str(content["data"]["mdtrt_id"])
    ward = hospital.till
    assert isinstance(ward, Ward)
    stay = ward.admit(patient, care.begin, ipt_no=care.number)
    ward.charge(stay, care.begin, care.lines)
    ward.discharge(stay, care.end)
    return stay.mdtrt_id


def wrong_episodes(city: City, life: Life, cares: Sequence[Care]) -> int:
    """Count the noted cases whose cash does not tie: given and asked for = due and given back, due as settled, and booked."""
    rows = city.fetch(
        "select x.*, s.cash_fen, (select coalesce(sum(c.amount_fen), 0) from episodes.cash c where c.psn_no = x.psn_no"
        " and c.episode_id = x.episode_id) as booked from episodes.episode x"
        " left join settlements.settlement s on s.psn_no = x.psn_no and s.setl_id = x.setl_id and s.state = 'active'"
        " where x.psn_no = $1", life.patient["psn_no"])
    wrong = sum(c.episode_id not in {r["episode_id"] for r in rows} for c in cares if c.episode_id)
    for r in rows:
        ties = r["paid_fen"] + r["topup_fen"] == r["due_fen"] + r["back_fen"]
        wrong += r["state"] != "settled" or r["due_fen"] != r["cash_fen"] or not ties or r["booked"] != r["due_fen"]
    return wrong
