"""Upload a settlement list (4101, 4101A), and submit or withdraw one (4102)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import asyncpg
import msgspec

from yibao.domains.records import operations, queries
from yibao.domains.records.model import CareKind, Finding, SettlementList
from yibao.domains.records.operations import REPLACEABLE, ListKey, NewList, State
from yibao.domains.records.rules import finding, judge
from yibao.infra.database import Connection
from yibao.infra.digest import sm3
from yibao.kernel.business_time import business_date
from yibao.kernel.refusal import Fault, Refusal, refuse
from yibao.usecases.records.gather_list_facts import Behind, find_behind, gather_list_facts
from yibao.usecases.records.keep_documents import FAULTS_MAX
from yibao.usecases.records.tables import ListTables, list_tables

STATE_TEXT = {
    "draft": "未提交", "uploaded": "已提交", "checked": "质控通过", "returned": "已退回", "accepted": "审核通过",
    "grouped": "已分组", "used": "已用于付费",
}
REMEDIES = {
    "R01": "如需修改，请联系经办机构退回清单", "R02": "请上传重新结算后的清单", "R03": "请核对人员编号、就诊ID与结算ID",
    "R04": "门诊慢特病、日间手术和住院的结算才需要清单",
}


class Uploaded(msgspec.Struct, frozen=True):
    """A list as kept, and what the quality check found in it."""

    psn_no: str
    mdtrt_id: str
    setl_id: str
    list_id: str
    state: State
    findings: tuple[Finding, ...]


class UploadCommand(msgspec.Struct, frozen=True):
    """A list as sent. ``psn_no`` may be empty in forms without it; ``is_draft`` leaves it unsubmitted.

    ``serial`` is a fresh identifier, from which a new list gets its number.
    """

    submitted: SettlementList
    form: str
    is_draft: bool
    serial: str
    opter: str
    opter_name: str


async def upload_list(
    tx: Connection, command: UploadCommand, *, fixmedins_code: str, now: datetime
) -> Uploaded | Refusal:
    """Keep a list in place of an earlier one, with its findings; money that is not the settlement's is refused.

    Submitted lists with a fault that returns them are kept as returned, so that the fault can be read again (4104).
    """
    tables, x = list_tables(), command.submitted
    behind = await find_behind(tx, setl_id=x.setl_id, fixmedins_code=fixmedins_code, tables=tables)
    if behind is None:
        return _unknown(x.setl_id)
    earlier = await queries.find_list(tx, psn_no=behind.settlement["psn_no"], setl_id=x.setl_id, lock=True)
    faults = _upload_faults(x, behind, earlier, tables=tables)
    if faults or behind.care is None:
        return Refusal(tuple(faults))
    x = msgspec.structs.replace(x, psn_no=behind.settlement["psn_no"], mdtrt_id=behind.settlement["mdtrt_id"])
    found = await _judge(tx, x, behind, care=behind.care, now=now, tables=tables)
    if isinstance(found, Refusal):
        return found
    state: State = "draft" if command.is_draft else state_after(found)
    kept = NewList(
        admdvs=behind.settlement["admdvs"], fixmedins_code=fixmedins_code, list_id=list_id_of(command.serial),
        care=behind.care, form=command.form,
        due_on=tables.due_on(business_date(behind.settlement["settled_at"])), rules_version=tables.edition,
        opter=command.opter, opter_name=command.opter_name,
    )
    list_id, _ = await operations.keep_list(
        tx, submitted=x, kept=kept, state=state, findings=found, was=earlier["state"] if earlier else "", now=now
    )
    return Uploaded(x.psn_no, x.mdtrt_id, x.setl_id, list_id, state, tuple(found))


def list_id_of(serial: str) -> str:
    """Return nine digits for a list; two of one institution that fall together make the later one draw anew."""
    return f"{int.from_bytes(sm3(serial.encode())[:8]) % 1_000_000_000:09d}"


def state_after(found: Sequence[Finding]) -> State:
    """Return where a check leaves a submitted list."""
    return "returned" if any(f.severity == "return" for f in found) else "checked"


def _unknown(setl_id: str, field: str = "setlinfo.setl_id") -> Refusal:
    return refuse("SETTLEMENT_NOT_FOUND", "本机构没有这笔结算", field=field, received=setl_id,
                  remedy="请核对结算ID；清单由办理结算的机构上传")


def _upload_faults(
    x: SettlementList, behind: Behind, earlier: asyncpg.Record | None, *, tables: ListTables
) -> list[Fault]:
    """Return what is wrong with uploading this list now: rules R01 to R04."""
    s, faults = behind.settlement, []
    if (x.psn_no and x.psn_no != s["psn_no"]) or x.mdtrt_id != s["mdtrt_id"]:
        faults.append(_fault(finding(tables.rules["R03"], received=x.mdtrt_id)))
    if s["state"] != "active":
        faults.append(_fault(finding(tables.rules["R02"], received=s["setl_id"])))
    if behind.care is None:
        faults.append(_fault(finding(tables.rules["R04"], received=s["med_type"])))
    if earlier is not None and earlier["state"] not in REPLACEABLE:
        faults.append(_fault(finding(
            tables.rules["R01"], received=earlier["list_id"], because=f"清单{STATE_TEXT[earlier['state']]}")))
    return faults


def _fault(found: Finding) -> Fault:
    return Fault(f"SETTLEMENT_LIST_{found.rule}", found.sentence, found.field, found.received,
                 REMEDIES.get(found.rule, "请按结算改正清单后重新上传"))


async def _judge(
    tx: Connection, x: SettlementList, behind: Behind, *, care: CareKind, now: datetime, tables: ListTables
) -> list[Finding] | Refusal:
    facts = await gather_list_facts(tx, x, behind, care=care, today=business_date(now), tables=tables)
    found = judge(x, facts, tables=tables.quality, rules=tables.rules)
    refused = tuple(_fault(f) for f in found if f.severity == "refuse")
    return Refusal(refused) if refused else found


class Step(msgspec.Struct, frozen=True):
    """A step asked for by 4102: ``is_submit`` False withdraws; ``field`` is where it stood in the message."""

    psn_no: str
    setl_id: str
    is_submit: bool
    field: str


async def change_lists(
    tx: Connection, steps: Sequence[Step], *, fixmedins_code: str, opter: str, now: datetime
) -> list[Uploaded] | Refusal:
    """Submit or withdraw lists, all or none. A list that already is where it should go stays as it is."""
    done: list[Uploaded] = []
    faults: list[Fault] = []
    for step in sorted(steps, key=lambda s: (s.psn_no, s.setl_id)):
        changed = await _change(tx, step, fixmedins_code=fixmedins_code, opter=opter, now=now)
        if isinstance(changed, Refusal):
            faults += changed.faults
        else:
            done.append(changed)
    return Refusal(tuple(faults[:FAULTS_MAX])) if faults else done


async def _change(
    tx: Connection, step: Step, *, fixmedins_code: str, opter: str, now: datetime
) -> Uploaded | Refusal:
    tables = list_tables()
    behind = await find_behind(tx, setl_id=step.setl_id, fixmedins_code=fixmedins_code, tables=tables)
    if behind is None or behind.care is None or (step.psn_no and step.psn_no != behind.settlement["psn_no"]):
        return _unknown(step.setl_id, f"{step.field}.setl_id")
    row = await queries.find_list(tx, psn_no=behind.settlement["psn_no"], setl_id=step.setl_id, lock=True)
    if row is None:
        return refuse("LIST_NOT_FOUND", "这笔结算还没有上传清单", field=f"{step.field}.setl_id", received=step.setl_id,
                      remedy="请先用4101上传清单")
    if behind.settlement["state"] != "active":
        return Refusal((_fault(finding(tables.rules["R02"], received=step.setl_id)),))
    here = ("uploaded", "checked") if step.is_submit else ("draft",)
    verb: operations.Verb = "submit" if step.is_submit else "withdraw"
    if row["state"] in here:
        return _as_it_is(row)
    if row["state"] not in operations.STEPS[verb][0]:
        return refuse("LIST_STATE", f"清单{STATE_TEXT[row['state']]}，不能{'提交' if step.is_submit else '撤回'}",
                      field=f"{step.field}.stas_type", received=row["state"], remedy=REMEDIES["R01"])
    key = ListKey(row["psn_no"], row["setl_id"], row["admdvs"], row["fixmedins_code"], row["version"])
    x = queries.content_of(row)
    found = await _judge(tx, x, behind, care=behind.care, now=now, tables=tables) if step.is_submit else []
    if isinstance(found, Refusal):
        return found
    await operations.move_list(tx, key, verb=verb, was=row["state"], at=now, actor=opter)
    if not step.is_submit:
        return Uploaded(row["psn_no"], row["mdtrt_id"], row["setl_id"], row["list_id"], "draft", ())
    state = state_after(found)
    await operations.record_check(tx, key, state=state, findings=found, rules_version=tables.edition, at=now)
    return Uploaded(row["psn_no"], row["mdtrt_id"], row["setl_id"], row["list_id"], state, tuple(found))


def _as_it_is(row: asyncpg.Record) -> Uploaded:
    return Uploaded(row["psn_no"], row["mdtrt_id"], row["setl_id"], row["list_id"], row["state"],
                    tuple(queries.findings_of(row)))
