"""Upload fee lines (2204): check each, split it by catalogue and law of the day of service, keep it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import date, datetime

import asyncpg
import msgspec

from yibao.domains.catalogue.model import ItemTerm
from yibao.domains.encounters import operations, queries
from yibao.domains.institutions.model import Institution
from yibao.domains.institutions.staff import registered_practitioners
from yibao.domains.settlements.queries import list_active
from yibao.infra.database import Connection
from yibao.kernel.business_time import business_date
from yibao.kernel.refusal import Fault, Refusal, refuse
from yibao.policy.law.parameters import RegionPolicy
from yibao.policy.lines import LineSplit, classify_line
from yibao.usecases.catalogue.look_up_lines import LineKey, faults_of_lines, look_up_lines, warnings_of_lines
from yibao.usecases.episodes.supply import supply_faults
from yibao.usecases.settlement.shelf import PolicyShelf
from yibao.usecases.visits.fee_line import LineInput, UploadedLine, amount_faults, group_of, kept_line
from yibao.usecases.visits.register_visit import refuse_foreign
from yibao.usecases.windows.pass_gate import NO_GATE, Gate

LINES_MAX = 1000


class KeptLines(msgspec.Struct, frozen=True):
    """Lines as kept, and sentences for the sender."""

    lines: Sequence[UploadedLine]
    warnings: Sequence[str]


async def upload_fee_lines(
    tx: Connection, *, lines: Sequence[LineInput], institution: Institution, shelf: PolicyShelf, now: datetime,
    gate: Gate = NO_GATE,
) -> KeptLines | Refusal:
    """Keep the fee lines of one encounter, split by what the law says on the day of service.

    ``gate``: a plan may let people stock up for a window beyond what the law gives at once.
    """
    psn_no, mdtrt_id = lines[0].psn_no, lines[0].mdtrt_id
    if len(lines) > LINES_MAX:
        return refuse("TOO_MANY_LINES", f"一次最多上传{LINES_MAX}条明细", field="feedetail",
                      received=str(len(lines)), remedy="请分批上传")
    encounter = await queries.find_encounter(tx, psn_no=psn_no, mdtrt_id=mdtrt_id, lock=True)
    refusal = refuse_foreign(encounter, mdtrt_id=mdtrt_id, fixmedins_code=institution.fixmedins_code)
    if refusal is not None:
        return refusal
    assert encounter is not None
    if encounter["state"] != "visited":
        return refuse("VISIT_NOT_RECORDED", "尚未上传就诊信息", field="feedetail.mdtrt_id", received=mdtrt_id,
                      remedy="请先用2203或2203A上传就诊信息和诊断")
    policy = shelf.of(encounter["admdvs"])
    if isinstance(policy, Refusal):
        return policy
    on = business_date(encounter["begin_at"])
    keys = [LineKey(x.item_code, x.local_code, on) for x in lines]
    facts = await look_up_lines(tx, institution=institution, admdvs=encounter["admdvs"], lines=keys)
    faults = await _batch_faults(tx, lines, encounter)
    faults += faults_of_lines(keys, facts)
    faults += await _line_faults(tx, lines, institution=institution, on=on, today=business_date(now))
    faults += supply_faults(lines, med_type=encounter["med_type"], kind="outpatient", admdvs=encounter["admdvs"],
                            at=encounter["begin_at"], gate=gate, node="feedetail")
    if faults:
        return Refusal(tuple(faults))
    kept: list[UploadedLine] = []
    for line, fact in zip(lines, facts, strict=True):
        assert fact.term is not None
        split = _split(line, fact.term, policy, encounter=encounter, on=on)
        if isinstance(split, Refusal):
            return split
        fee_line = kept_line(line, fact.term, split, admdvs=encounter["admdvs"], batch=line.batch, now=now)
        kept.append(UploadedLine(fee_line, fact.term, split))
    await operations.add_lines(tx, [k.line for k in kept])
    return KeptLines(kept, warnings_of_lines(keys, facts))


async def withdraw_fee_lines(
    tx: Connection, *, psn_no: str, mdtrt_id: str, batch: str, fixmedins_code: str
) -> Refusal | None:
    """Withdraw the unsettled lines of a batch; ``0000`` means all unsettled lines of the encounter."""
    encounter = await queries.find_encounter(tx, psn_no=psn_no, mdtrt_id=mdtrt_id, lock=True)
    refusal = refuse_foreign(encounter, mdtrt_id=mdtrt_id, fixmedins_code=fixmedins_code)
    if refusal is not None:
        return refusal
    every = batch == "0000"
    settled = {r["chrg_bchno"]: r["setl_id"] for r in await list_active(tx, psn_no=psn_no, mdtrt_id=mdtrt_id)}
    if batch in settled:
        return refuse("BATCH_ALREADY_SETTLED", f"该收费批次已结算（结算ID {settled[batch]}），不能撤销明细",
                      field="data.chrg_bchno", received=batch, remedy="请先用2208撤销结算")
    withdrawn = await operations.withdraw_lines(tx, psn_no=psn_no, mdtrt_id=mdtrt_id, batch="" if every else batch)
    if not withdrawn and not every:
        return refuse("NO_FEE_LINES", "该收费批次没有可撤销的费用明细", field="data.chrg_bchno", received=batch,
                      remedy="请核对收费批次号，或用0000撤销全部未结算明细")
    return None


async def _batch_faults(
    tx: Connection, lines: Sequence[LineInput], encounter: asyncpg.Record
) -> list[Fault]:
    """Check what concerns several lines at once: one encounter, serials, settled batches, one disease a batch."""
    psn_no, mdtrt_id = encounter["psn_no"], encounter["mdtrt_id"]
    known = {r["feedetl_sn"] for r in await tx.fetch(queries.SERIALS, psn_no, mdtrt_id)}
    settled = {r["chrg_bchno"] for r in await list_active(tx, psn_no=psn_no, mdtrt_id=mdtrt_id)}
    diseases: dict[str, set[str]] = {}
    for row in await tx.fetch(queries.BATCH_DISEASES, psn_no, mdtrt_id):
        diseases.setdefault(row["chrg_bchno"], set()).add(row["disease_code"])
    times = Counter(x.sn for x in lines)
    faults = []
    for i, x in enumerate(lines):
        at = f"feedetail[{i}]"
        if (x.psn_no, x.mdtrt_id) != (psn_no, mdtrt_id):
            faults.append(Fault("SEVERAL_ENCOUNTERS", "一次上传的明细须属于同一次就诊", f"{at}.mdtrt_id",
                                x.mdtrt_id, "请按就诊分开上传"))
        if times[x.sn] > 1 or x.sn in known:
            faults.append(Fault("LINE_SERIAL_TAKEN", "费用明细流水号在这次就诊中重复", f"{at}.feedetl_sn", x.sn,
                                "请使用新的流水号；重传前先用2205撤销"))
        if x.batch in settled:
            faults.append(Fault("BATCH_ALREADY_SETTLED", "该收费批次已结算，不能再增加明细", f"{at}.chrg_bchno",
                                x.batch, "请使用新的收费批次号"))
        batch_diseases = diseases.setdefault(x.batch, set())
        batch_diseases.add(x.disease_code)
        if len(batch_diseases) > 1:
            faults.append(Fault("SEVERAL_DISEASES", "一个收费批次只能有一个病种编码", f"{at}.dise_codg",
                                x.disease_code, "请按病种分批上传"))
    return faults


async def _line_faults(
    tx: Connection, lines: Sequence[LineInput], *, institution: Institution, on: date, today: date
) -> list[Fault]:
    doctors = await registered_practitioners(
        tx, institution.fixmedins_code, codes=[x.doctor_code for x in lines], on=on
    )
    faults = []
    for i, x in enumerate(lines):
        at = f"feedetail[{i}]"
        if x.doctor_code not in doctors:
            faults.append(Fault("DOCTOR_NOT_REGISTERED", "开单医生就诊当日未在本机构登记", f"{at}.bilg_dr_codg",
                                x.doctor_code, "请用5102查询本机构已登记医师"))
        if x.quantity_e4 <= 0:
            faults.append(Fault("QUANTITY_NOT_POSITIVE", "门诊明细数量须大于0", f"{at}.cnt",
                                f"{x.quantity_e4 / 10000:g}", "门诊退费请撤销后重新上传"))
        faults += amount_faults(x, at=at, today=today)
    return faults


def _split(
    line: LineInput, term: ItemTerm, policy: RegionPolicy, *, encounter: asyncpg.Record, on: date
) -> LineSplit | Refusal:
    return classify_line(
        policy=policy, service_on=on, insutype=encounter["insutype"], list_type=term.list_type,
        class_level=term.class_level, amount=line.amount_fen, price=line.price_micro, quantity=line.quantity_e4,
        first_pay=term.first_pay, price_limit=term.limit_micro, restricted=term.restricted,
        hosp_appr_flag=line.hosp_appr_flag, group=group_of(negotiated=term.negotiated),
        med_type=encounter["med_type"],
    )
