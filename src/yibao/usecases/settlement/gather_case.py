"""Gather the frozen case of one charge batch in one round trip, with or without the person's turn."""

from __future__ import annotations

import asyncpg
import msgspec

from yibao.domains.enrolment.rules import benefit_faults
from yibao.infra.database import Connection
from yibao.kernel.business_time import age_on
from yibao.kernel.money import yuan_text
from yibao.kernel.refusal import Fault, Refusal, refuse
from yibao.policy.case import Case, InstitutionFacts, LineGroup, PersonFacts

CASE_FACTS = "select * from settlements.case_facts($1, $2, $3)"
TAKE_TURN = "select * from settlements.take_turn($1, $2, $3, $4, $5)"
GIVE_TURN_BACK = "select settlements.give_turn_back($1)"
CHRONIC_VISIT = "14"


class SettleCommand(msgspec.Struct, frozen=True):
    """What the institution asks to have settled. Amounts in fen.

    Attributes:
        batch: charge batch (``chrg_bchno``).
        medfee_fen: total the institution reckons.
        splits: (fully own, over limit, first-pay, in scope) as the institution has them, () in a trial.
        account_use: ``0`` none, ``1`` own account, ``2`` a relative's account.
    """

    psn_no: str
    mdtrt_id: str
    batch: str
    insutype: str
    med_type: str
    medfee_fen: int
    account_use: str
    cert_type: str
    splits: tuple[int, ...] = ()
    invono: str = ""
    setlway: str = "01"


class OpenCase(msgspec.Struct, frozen=True):
    """The facts as read (``row``) and the case made of them."""

    row: asyncpg.Record
    case: Case


async def read_facts(connection: Connection, command: SettleCommand) -> asyncpg.Record | None:
    """Read all facts of a batch without any lock; None when there is no such encounter."""
    return await connection.fetchrow(CASE_FACTS, command.psn_no, command.mdtrt_id, command.batch)


async def take_turn(connection: Connection, command: SettleCommand, *, sender: str, msgid: str) -> asyncpg.Record:
    """Wait for the person's turn and keep it with the session; return what the message was answered, else ``facts``."""
    row = await connection.fetchrow(TAKE_TURN, sender, msgid, command.psn_no, command.mdtrt_id, command.batch)
    if row is None:
        raise AssertionError("take_turn returned no row")
    return row


def judge(row: asyncpg.Record | None, command: SettleCommand, *, sender: str) -> OpenCase | Refusal:
    """Make the case, or refuse with every fault found. Faults stand in fixed precedence."""
    if row is None:
        return refuse("ENCOUNTER_NOT_FOUND", "没有该参保人的这次就诊", field="data.mdtrt_id", received=command.mdtrt_id,
                      remedy="请核对人员编号与就诊ID是否来自同一次2201挂号")
    if row["fixmedins_code"] != sender:
        return refuse("ENCOUNTER_ELSEWHERE", "这次就诊不是在本机构登记的", field="data.mdtrt_id",
                      received=command.mdtrt_id, remedy="请由登记该就诊的机构办理")
    faults = _visit_faults(row, command) + _bill_faults(row, command)
    faults += benefit_faults(
        insutype=row["insutype"], status=row["relation_status"], status_reason=row["relation_reason"],
        benefit_from=row["benefit_from"], benefit_to=row["benefit_to"], died_on=row["died_on"], on=row["service_on"],
    )
    if faults:
        return Refusal(tuple(faults))
    return OpenCase(row, _case(row, command))


def _visit_faults(row: asyncpg.Record, command: SettleCommand) -> list[Fault]:
    faults = []
    if row["visit_state"] == "cancelled":
        faults.append(Fault("ENCOUNTER_CANCELLED", "这次就诊的挂号已撤销", "data.mdtrt_id", command.mdtrt_id,
                            "请重新挂号"))
    elif row["visit_state"] == "registered":
        faults.append(Fault("VISIT_NOT_RECORDED", "尚未上传就诊信息", "data.mdtrt_id", command.mdtrt_id,
                            "请先用2203或2203A上传就诊信息和诊断"))
    elif row["med_type"] != command.med_type:
        faults.append(Fault("MED_TYPE_DIFFERS", f"医疗类别与就诊信息（{row['med_type']}）不一致", "data.med_type",
                            command.med_type, "请按2203上传的医疗类别结算，或重新上传就诊信息"))
    if row["insutype"] != command.insutype:
        faults.append(Fault("INSUTYPE_DIFFERS", f"险种类型与挂号时（{row['insutype']}）不一致", "data.insutype",
                            command.insutype, "请按挂号时的险种结算"))
    if row["med_type"] == CHRONIC_VISIT and row["visit_state"] == "visited":
        if not row["disease_code"]:
            faults.append(Fault("DISEASE_MISSING", "门诊慢特病就诊没有病种编码", "mdtrtinfo.dise_codg",
                                remedy="请在2203中上传已认定的慢特病病种"))
        elif row["disease_code"] not in (row["recognised"] or ()):
            faults.append(Fault("DISEASE_NOT_RECOGNISED", "参保人没有该病种的有效慢特病认定", "mdtrtinfo.dise_codg",
                                row["disease_code"], "请用5301查询已认定病种，或先办理认定"))
    if command.account_use == "2":
        faults.append(Fault("FAMILY_ACCOUNT_NOT_OFFERED", "共济账户支付尚未开通", "data.acct_used_flag", "2",
                            "请改用本人账户（1）或不使用账户（0）"))
    if command.setlway != "01":
        faults.append(Fault("SETTLEMENT_WAY_NOT_OFFERED", "门诊只按项目结算，定额结算尚未开通", "data.psn_setlway",
                            command.setlway, "请使用01按项目结算"))
    return faults


SPLIT_FIELDS = (
    ("fulamt_ownpay_amt", "own_fen", "全自费金额"), ("overlmt_selfpay", "over_fen", "超限价金额"),
    ("preselfpay_amt", "first_fen", "先行自付金额"), ("inscp_scp_amt", "scope_fen", "符合政策范围金额"),
)


def _bill_faults(row: asyncpg.Record, command: SettleCommand) -> list[Fault]:
    if row["settled_id"] is not None:
        return [Fault("BATCH_ALREADY_SETTLED", f"该收费批次已结算（结算ID {row['settled_id']}）", "data.chrg_bchno",
                      command.batch, "如需重新结算，请先用2208撤销")]
    if not row["lines"]:
        return [Fault("NO_FEE_LINES", "该收费批次没有费用明细", "data.chrg_bchno", command.batch,
                      "请先用2204上传费用明细")]
    faults = []
    if row["amount_fen"] < 0:
        faults.append(Fault("BATCH_NEGATIVE", "该收费批次费用合计为负", "data.chrg_bchno", command.batch,
                            "请核对退费明细"))
    if row["amount_fen"] != command.medfee_fen:
        faults.append(Fault("TOTAL_DIFFERS", f"医疗费总额与明细合计{yuan_text(row['amount_fen'])}元不一致",
                            "data.medfee_sumamt", yuan_text(command.medfee_fen), "请核对本批次已上传的明细"))
    # Some clients send 0 in the split fields; whoever sends an amount must mean ours.
    for sent, (field, column, label) in zip(command.splits, SPLIT_FIELDS, strict=False):
        if sent and sent != row[column]:
            faults.append(Fault("SPLIT_DIFFERS", f"{label}与平台核定{yuan_text(row[column])}元不一致",
                                f"data.{field}", yuan_text(sent), "请以2204或2206返回的金额为准"))
    return faults


def _case(row: asyncpg.Record, command: SettleCommand) -> Case:
    recognised = row["recognised"] or ()
    balance = row["balance_fen"]
    counters = dict(zip(row["counter_codes"], row["counter_used"], strict=True)) if row["counter_codes"] else {}
    return Case(
        admdvs=row["admdvs"], service_on=row["service_on"], insutype=row["insutype"], med_type=row["med_type"],
        person=PersonFacts(
            psn_type=row["psn_type"], age=age_on(row["birth_on"], row["service_on"]),
            identities=tuple(row["identities"] or ()), civil_servant=row["civil_servant"],
            account_kind=row["account_kind"], paid_months=row["paid_months"],
        ),
        institution=InstitutionFacts(
            code=row["fixmedins_code"], kind=row["kind"], level=row["level"], traits=tuple(row["traits"])
        ),
        lines=(LineGroup(row["amount_fen"], row["own_fen"], row["over_fen"], row["first_fen"], row["scope_fen"]),),
        # A disease that is not recognised opens nothing: the visit is an ordinary one.
        disease_code=row["disease_code"] if row["disease_code"] in recognised else "",
        counters=counters, account_balance=balance or 0,
        use_account=command.account_use == "1" and balance is not None, recognised=tuple(recognised),
    )
