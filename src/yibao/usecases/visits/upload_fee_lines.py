"""Upload fee lines (2204): check each, split it by catalogue and law of the day of service, keep it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import date, datetime

import asyncpg
import msgspec

from yibao.domains.catalogue.model import ItemTerm
from yibao.domains.catalogue.queries import terms_for
from yibao.domains.encounters import operations, queries
from yibao.domains.encounters.model import FeeLine
from yibao.domains.institutions.model import Institution
from yibao.domains.institutions.staff import registered_practitioners
from yibao.domains.settlements.queries import list_active
from yibao.infra.database import Connection
from yibao.kernel.business_time import business_date
from yibao.kernel.money import line_amount, yuan_text
from yibao.kernel.refusal import Fault, Refusal, refuse
from yibao.policy.law.parameters import RegionPolicy
from yibao.policy.lines import LineSplit, classify_line
from yibao.usecases.settlement.shelf import PolicyShelf
from yibao.usecases.visits.register_visit import refuse_foreign

TOLERANCE_FEN = 1
"""A line may differ from price times quantity by one fen: institutions round in their own ways."""
LINES_MAX = 1000


class LineInput(msgspec.Struct, frozen=True):
    """One fee line as sent. Money in fen, price in millionths of a yuan, quantity in ten-thousandths."""

    sn: str
    psn_no: str
    mdtrt_id: str
    batch: str
    disease_code: str
    rxno: str
    outside_rx: bool
    occurred_at: datetime
    item_code: str
    local_code: str
    amount_fen: int
    quantity_e4: int
    price_micro: int
    dept_code: str
    dept_name: str
    doctor_code: str
    doctor_name: str
    hosp_appr_flag: str
    detail: Mapping[str, str]


class UploadedLine(msgspec.Struct, frozen=True):
    """A line as kept, with the item and the split behind it."""

    line: FeeLine
    term: ItemTerm
    split: LineSplit


async def upload_fee_lines(
    tx: Connection, *, lines: Sequence[LineInput], institution: Institution, shelf: PolicyShelf, now: datetime
) -> list[UploadedLine] | Refusal:
    """Keep the fee lines of one encounter, split by what the law says on the day of service."""
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
    terms = await terms_for(
        tx, admdvs=encounter["admdvs"], codes=[x.item_code for x in lines], on=on, level=institution.level
    )
    faults = await _batch_faults(tx, lines, encounter)
    faults += await _line_faults(tx, lines, terms, institution=institution, on=on, today=business_date(now))
    if faults:
        return Refusal(tuple(faults))
    kept: list[UploadedLine] = []
    for line in lines:
        term = terms[line.item_code]
        split = _split(line, term, policy, encounter=encounter, on=on)
        if isinstance(split, Refusal):
            return split
        kept.append(UploadedLine(_fee_line(line, term, split, admdvs=encounter["admdvs"], now=now), term, split))
    await operations.add_lines(tx, [k.line for k in kept])
    return kept


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
    tx: Connection, lines: Sequence[LineInput], terms: Mapping[str, ItemTerm], *, institution: Institution,
    on: date, today: date,
) -> list[Fault]:
    doctors = await registered_practitioners(
        tx, institution.fixmedins_code, codes=[x.doctor_code for x in lines], on=on
    )
    faults = []
    for i, x in enumerate(lines):
        at = f"feedetail[{i}]"
        if x.item_code not in terms:
            faults.append(Fault("ITEM_NOT_IN_CATALOGUE", f"医疗目录编码不在{on}的医保目录中", f"{at}.med_list_codg",
                                x.item_code, "请核对国家编码；院内自费项目请对照到目录中的自费编码"))
        if x.doctor_code not in doctors:
            faults.append(Fault("DOCTOR_NOT_REGISTERED", "开单医生就诊当日未在本机构登记", f"{at}.bilg_dr_codg",
                                x.doctor_code, "请用5102查询本机构已登记医师"))
        if x.quantity_e4 <= 0:
            faults.append(Fault("QUANTITY_NOT_POSITIVE", "门诊明细数量须大于0", f"{at}.cnt",
                                f"{x.quantity_e4 / 10000:g}", "门诊退费请撤销后重新上传"))
        if x.price_micro < 0:
            faults.append(Fault("PRICE_NEGATIVE", "单价不能为负", f"{at}.pric", f"{x.price_micro / 1e6:g}",
                                "请核对单价"))
        due = line_amount(x.price_micro, x.quantity_e4)
        if abs(due - x.amount_fen) > TOLERANCE_FEN:
            faults.append(Fault("LINE_DOES_NOT_MULTIPLY", f"明细金额与单价×数量={yuan_text(due)}元不符",
                                f"{at}.det_item_fee_sumamt", yuan_text(x.amount_fen), "允许误差0.01元"))
        if business_date(x.occurred_at) > today:
            faults.append(Fault("LINE_IN_FUTURE", "费用发生时间晚于今天", f"{at}.fee_ocur_time",
                                f"{business_date(x.occurred_at)}", "请核对费用发生时间"))
    return faults


def _split(
    line: LineInput, term: ItemTerm, policy: RegionPolicy, *, encounter: asyncpg.Record, on: date
) -> LineSplit | Refusal:
    return classify_line(
        policy=policy, service_on=on, insutype=encounter["insutype"], list_type=term.list_type,
        class_level=term.class_level, amount=line.amount_fen, price=line.price_micro, quantity=line.quantity_e4,
        first_pay=term.first_pay, price_limit=term.limit_micro, restricted=term.restricted,
        hosp_appr_flag=line.hosp_appr_flag,
    )


def _fee_line(line: LineInput, term: ItemTerm, split: LineSplit, *, admdvs: str, now: datetime) -> FeeLine:
    return FeeLine(
        psn_no=line.psn_no, mdtrt_id=line.mdtrt_id, feedetl_sn=line.sn, admdvs=admdvs, chrg_bchno=line.batch,
        disease_code=line.disease_code, rxno=line.rxno, outside_rx=line.outside_rx, occurred_at=line.occurred_at,
        item_code=line.item_code, local_code=line.local_code, item_name=term.name, list_type=term.list_type,
        charge_type=term.charge_type, class_level=term.class_level, price_micro=line.price_micro,
        quantity_e4=line.quantity_e4, amount_fen=line.amount_fen, limit_micro=term.limit_micro,
        first_pay=split.first_pay_ratio, own_fen=split.own, over_fen=split.over, first_fen=split.first_pay,
        scope_fen=split.in_scope, restricted=term.restricted, hosp_appr_flag=line.hosp_appr_flag,
        reason=split.reason, catalogue_version=term.version, dept_code=line.dept_code, dept_name=line.dept_name,
        doctor_code=line.doctor_code, doctor_name=line.doctor_name,
        detail=msgspec.json.encode(line.detail).decode(), uploaded_at=now,
    )
