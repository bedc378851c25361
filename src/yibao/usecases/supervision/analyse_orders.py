"""Hold a doctor's orders against the rules before (3101) or during care (3102), and keep what was found."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import date, datetime

import asyncpg
import msgspec

from yibao.domains.catalogue.queries import find_items
from yibao.domains.encounters.queries import find_encounter
from yibao.domains.institutions.model import Institution
from yibao.domains.people.queries import find_person
from yibao.domains.supervision import operations
from yibao.domains.supervision.model import DURING, Analysis, LineNote, StoredHit
from yibao.infra.database import Connection
from yibao.kernel.business_time import business_date
from yibao.kernel.ids import Ids
from yibao.kernel.refusal import Fault, Refusal, refuse
from yibao.policy.review.facts import Charge, Hit, Question
from yibao.policy.review.judge import review
from yibao.usecases.supervision.gather_question import list_lines, look_back, patient_of, visit_of
from yibao.usecases.supervision.rulebook import region_row, rule_book

PATIENTS_MAX = 50
ORDERS_MAX = 1000
_UNKNOWN_SEXES = ("0", "9")


class OrderInput(msgspec.Struct, frozen=True):
    """One order as sent. Money in fen, price and limit in millionths of a yuan, quantity in ten-thousandths."""

    order_id: str
    rx: str
    item_code: str
    item_name: str
    list_type: str
    at: datetime
    quantity_e4: int
    amount_fen: int
    price_micro: int
    limit_micro: int | None
    frequency: str
    days: int
    is_current: bool


class PatientInput(msgspec.Struct, frozen=True):
    """One patient as sent, with the orders of the visit that is going on.

    Attributes:
        sex, birth_on: as the institution has them; ours decide, a difference is warned of.
        medins_id: institution that the visit is said to be at.
    """

    psn_no: str
    mdtrt_id: str
    medins_id: str
    sex: str
    birth_on: date | None
    med_type: str
    orders: Sequence[OrderInput]


class Analysed(msgspec.Struct, frozen=True):
    """What was found for one patient, with the ids under which it is kept."""

    psn_no: str
    mdtrt_id: str
    analysis_id: str
    hits: Sequence[tuple[str, Hit]]


async def analyse_orders(
    tx: Connection, *, stage: str, patients: Sequence[PatientInput], only: Collection[str], institution: Institution,
    opter: str, now: datetime, ids: Ids, warnings: list[str],
) -> list[Analysed] | Refusal:
    """Judge the orders of each patient by the rules, beside what is charged and settled already.

    Before care the visit need not be registered yet; during care it must be, and its uploaded fee lines are judged
    with the orders. Everything wrong with any patient is refused at once, and nothing is kept.
    """
    refusal = _refuse_request(patients, only)
    if refusal is not None:
        return refusal
    faults: list[Fault] = []
    people: list[tuple[asyncpg.Record, asyncpg.Record | None]] = []
    for place, patient in enumerate(patients):
        at = f"data.patient_dtos[{place}]"
        person = await find_person(tx, patient.psn_no)
        encounter = await find_encounter(tx, psn_no=patient.psn_no, mdtrt_id=patient.mdtrt_id)
        faults += _faults(patient, person, encounter, institution=institution, stage=stage, at=at)
        if person is not None:
            warnings += _differences(patient, person, encounter, at=at)
            people.append((person, encounter))
    if faults:
        return Refusal(tuple(faults))
    found = []
    for patient, (person, encounter) in zip(patients, people, strict=True):
        question = await _question(tx, patient, person, encounter, stage=stage, institution=institution, now=now)
        hits = review(question, rule_book(), only=only) if question.bill else ()
        found.append(
            await _keep(tx, patient, person, question, hits, stage=stage, institution=institution, opter=opter,
                        now=now, ids=ids)
        )
    return found


def _refuse_request(patients: Sequence[PatientInput], only: Collection[str]) -> Refusal | None:
    if not patients:
        return refuse("NO_PATIENTS", "没有参保人信息", field="data.patient_dtos", remedy="请上传至少一名参保人及其医嘱")
    orders = sum(len(p.orders) for p in patients)
    if len(patients) > PATIENTS_MAX or orders > ORDERS_MAX:
        return refuse("TOO_MANY_ORDERS", f"一次最多审核{PATIENTS_MAX}人{ORDERS_MAX}条医嘱", field="data.patient_dtos",
                      received=f"{len(patients)}人{orders}条", remedy="请分批上传")
    unknown = [rule for rule in only if not rule_book().known(rule)]
    if unknown:
        return refuse("RULE_NOT_FOUND", "没有这些规则，未作审核", field="data.rule_ids", received="、".join(unknown[:10]),
                      remedy="请改用本平台的规则标识，或不填以审核全部规则")
    return None


def _faults(
    patient: PatientInput, person: asyncpg.Record | None, encounter: asyncpg.Record | None, *,
    institution: Institution, stage: str, at: str,
) -> list[Fault]:
    faults = []
    if person is None:
        faults.append(Fault("PERSON_NOT_FOUND", "没有该人员编号的参保人", f"{at}.patn_id", patient.psn_no,
                            "请用1101查询人员编号"))
    if patient.medins_id and patient.medins_id != institution.fixmedins_code:
        faults.append(Fault("FOREIGN_INSTITUTION", "只能审核本机构的就诊", f"{at}.fsi_encounter_dtos.medins_id",
                            patient.medins_id, "请填写本机构编号"))
    foreign = encounter is not None and encounter["fixmedins_code"] != institution.fixmedins_code
    if foreign or (person is not None and encounter is None and stage == DURING):
        faults.append(Fault("ENCOUNTER_NOT_FOUND", "本机构没有该参保人的这次就诊", f"{at}.curr_mdtrt_id",
                            patient.mdtrt_id, "事中审核须先登记就诊，请用5201查询就诊信息"))
    elif encounter is not None and encounter["state"] == "cancelled":
        faults.append(Fault("ENCOUNTER_CANCELLED", "该就诊登记已撤销", f"{at}.curr_mdtrt_id", patient.mdtrt_id,
                            "请重新登记"))
    return faults


def _differences(
    patient: PatientInput, person: asyncpg.Record, encounter: asyncpg.Record | None, *, at: str
) -> list[str]:
    """Return warnings where the institution's record differs from ours, by which the bill is judged."""
    found = []
    if patient.sex and person["sex"] not in _UNKNOWN_SEXES and patient.sex != person["sex"]:
        found.append(f"{at}.gend：与参保登记的性别不一致，按参保登记审核")
    if patient.birth_on is not None and patient.birth_on != person["birth_on"]:
        found.append(f"{at}.brdy：与参保登记的出生日期不一致，按参保登记审核")
    if encounter is None:
        found.append(f"{at}.curr_mdtrt_id：就诊尚未登记，按上传内容审核")
    return found


async def _question(
    tx: Connection, patient: PatientInput, person: asyncpg.Record, encounter: asyncpg.Record | None, *, stage: str,
    institution: Institution, now: datetime,
) -> Question:
    names = await find_items(tx, codes=[o.item_code for o in patient.orders])
    orders = [_charge(o, patient, institution, name=names[o.item_code].name if o.item_code in names else o.item_name)
              for o in patient.orders]
    book = rule_book()
    begin, end = look_back(book, [*orders, _anchor(now, institution)])
    lines = await list_lines(tx, psn_no=patient.psn_no, begin=begin, end=end)
    mine = [line for line in lines if line.charge.mdtrt_id == patient.mdtrt_id and not line.is_settled]
    charged = {(line.charge.rx, line.charge.item_code) for line in mine} | {
        (line.charge.charge_id, line.charge.item_code) for line in mine
    }
    new = [
        (o, c) for o, c in zip(patient.orders, orders, strict=True)
        if (o.order_id, c.item_code) not in charged and (not o.rx or (o.rx, c.item_code) not in charged)
    ]
    uploaded = [line.charge for line in mine]
    bill = [c for o, c in new if o.is_current] + (uploaded if stage == DURING else [])
    history = [c for o, c in new if not o.is_current] + ([] if stage == DURING else uploaded)
    history += [line.charge for line in lines if line.is_settled]
    med_type = (encounter["med_type"] if encounter is not None else "") or patient.med_type
    on = business_date(now)
    region = region_row(person["admdvs"], on)
    visit = await visit_of(
        tx, psn_no=patient.psn_no, mdtrt_id=patient.mdtrt_id, fixmedins_code=institution.fixmedins_code,
        med_type=med_type, on=on, book=book,
    )
    return Question(
        patient_of(person), visit, tuple(bill), tuple(history),
        None if isinstance(region, Refusal) else region.same_incision_share,
    )


def _anchor(now: datetime, institution: Institution) -> Charge:
    """Return a charge of nothing at the present: so that there is a period where nothing was ordered."""
    return Charge("", "", institution.fixmedins_code, "", "", "", now, 0, 0, 0)


def _charge(order: OrderInput, patient: PatientInput, institution: Institution, *, name: str) -> Charge:
    return Charge(
        charge_id=order.order_id, mdtrt_id=patient.mdtrt_id, fixmedins_code=institution.fixmedins_code,
        item_code=order.item_code, item_name=name, list_type=order.list_type, at=order.at,
        quantity_e4=order.quantity_e4, amount_fen=order.amount_fen, price_micro=order.price_micro,
        limit_micro=order.limit_micro, rx=order.rx, frequency=order.frequency, days=order.days,
    )


async def _keep(
    tx: Connection, patient: PatientInput, person: asyncpg.Record, question: Question, hits: Sequence[Hit], *,
    stage: str, institution: Institution, opter: str, now: datetime, ids: Ids,
) -> Analysed:
    analysis = Analysis(
        psn_no=patient.psn_no, analysis_id=ids.new(now), admdvs=person["admdvs"],
        fixmedins_code=institution.fixmedins_code, stage=stage, mdtrt_id=patient.mdtrt_id, setl_id=None,
        rules_version=rule_book().version, charges=len(question.bill), at=now, opter=opter,
    )
    kept = [(ids.new(now), h) for h in hits]
    await operations.add_analysis(tx, analysis, [
        StoredHit(
            psn_no=patient.psn_no, hit_id=hit_id, admdvs=analysis.admdvs, analysis_id=analysis.analysis_id,
            fixmedins_code=analysis.fixmedins_code, stage=stage, mdtrt_id=patient.mdtrt_id, rule_id=h.rule_id,
            severity=h.severity, amount_fen=h.amount_fen, reason=h.reason, basis=h.basis, lines=notes_text(h),
            found_at=now,
        )
        for hit_id, h in kept
    ])
    return Analysed(patient.psn_no, patient.mdtrt_id, analysis.analysis_id, kept)


def notes_of(hit: Hit) -> list[LineNote]:
    """Return the charges of a hit as they are kept with it: those that break the rule first."""
    broken = [
        LineNote("broken", c.mdtrt_id, c.charge_id, c.item_code, c.item_name, b.quantity_e4, b.amount_fen)
        for b in hit.broken for c in (b.charge,)
    ]
    return broken + [
        LineNote("involved", c.mdtrt_id, c.charge_id, c.item_code, c.item_name, c.quantity_e4, c.amount_fen)
        for c in hit.involved
    ]


def notes_text(hit: Hit) -> str:
    """Return the charges of a hit as JSON text."""
    return msgspec.json.encode(notes_of(hit)).decode()


