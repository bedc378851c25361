"""What the transactions that move money share: settle or undo, try again after a conflict, lay out the reply."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from datetime import date
from decimal import Decimal
from typing import Any

import asyncpg
import msgspec

from yibao.domains.settlements.model import Settlement
from yibao.entrypoints.gateway.registry import Encode, Message, Output, Services
from yibao.entrypoints.gateway.wire_words import code_text, yuan
from yibao.infra.database import Connection, Unavailable
from yibao.infra.failpoints import reached
from yibao.infra.messages import Replayed
from yibao.kernel.business_time import age_on, to_wire
from yibao.kernel.refusal import Refusal
from yibao.policy.case import Case
from yibao.usecases.backfill.reorder_open import reorder_open
from yibao.usecases.settlement import settle as steps
from yibao.usecases.settlement.reverse_settlement import CancelCommand, Undone, cancel_settlement
from yibao.usecases.settlement.way import B, Operator, Settled, Way
from yibao.usecases.settlement.write_settlement import MovedOn

_log = logging.getLogger("yibao.gateway")
ATTEMPTS_MAX = 5
MOVED_TOO_OFTEN = "others change the same facts again and again at this moment"
OWN_ACCOUNT, HOSPITAL_PART = "310200", "999996"
HEAD = (
    ("medfee_sumamt", "medfee_fen"), ("fulamt_ownpay_amt", "own_fen"), ("overlmt_selfpay", "over_fen"),
    ("preselfpay_amt", "first_fen"), ("inscp_scp_amt", "scope_fen"), ("act_pay_dedc", "deductible_fen"),
    ("hifp_pay", "hifp_fen"), ("cvlserv_pay", "cvlserv_fen"), ("hifes_pay", "hifes_fen"), ("hifmi_pay", "hifmi_fen"),
    ("hifob_pay", "hifob_fen"), ("maf_pay", "maf_fen"), ("oth_pay", "oth_fen"), ("fund_pay_sumamt", "fund_fen"),
    ("acct_pay", "account_fen"), ("psn_cash_pay", "cash_fen"),
)
"""Head amounts that settlements and refunds both report, and where they are kept."""


class Holder(msgspec.Struct, frozen=True):
    """The person as a settlement reply shows him or her."""

    name: str
    cert_type: str
    certno: str
    sex: str
    nation: str
    birth_on: date
    psn_type: str
    civil_servant: bool


def holder_of(row: Any) -> Holder:
    """Return the person of a database row that has the person's and the relation's columns."""
    return Holder(row["name"], row["cert_type"], row["certno"], row["sex"], row["nation"], row["birth_on"],
                  row["psn_type"], row["civil_servant"])


def holder_fields(holder: Holder, on: date) -> dict[str, object]:
    """Return the person fields of a reply; age is as of a day."""
    return {
        "psn_name": holder.name, "psn_cert_type": holder.cert_type, "certno": holder.certno, "gend": holder.sex,
        "naty": holder.nation, "brdy": holder.birth_on, "age": age_on(holder.birth_on, on),
        "psn_type": holder.psn_type, "cvlserv_flag": "1" if holder.civil_servant else "0",
    }


def head_fields(s: Settlement) -> dict[str, object]:
    """Return the head amounts of a settlement or refund."""
    fields: dict[str, object] = {wire: yuan(getattr(s, kept)) for wire, kept in HEAD}
    fields["pool_prop_selfpay"] = Decimal(s.pool_ratio).scaleb(-4)
    fields["balc"] = yuan(s.balance_fen)
    return fields


def payer_rows(s: Settlement) -> list[dict[str, object]]:
    """Return ``setldetail``: every payer with a share, own account and hospital included."""
    shares = list(zip(s.fund_types, s.fund_amounts, strict=True))
    if s.account_fen:
        shares.append((OWN_ACCOUNT, s.account_fen))
    if s.hospital_fen:
        shares.append((HOSPITAL_PART, s.hospital_fen))
    return [
        {
            "fund_pay_type": kind, "inscp_scp_amt": yuan(s.scope_fen), "crt_payb_lmt_amt": None,
            "fund_payamt": yuan(amount), "fund_pay_type_name": code_text("fund_pay_type", kind), "setl_proc_info": None,
        }
        for kind, amount in shares
    ]


def settled_output(settled: Settled, *, final: bool) -> dict[str, Any]:
    """Return the output of a trial (``final`` False: no id, no time, no clearing yet) or of a settlement."""
    s = settled.settlement
    info: dict[str, object] = {
        "mdtrt_id": s.mdtrt_id, "setl_id": s.setl_id if final else None, "psn_no": s.psn_no,
        **holder_fields(holder_of(settled.row), s.service_on), "insutype": s.insutype,
        "setl_time": to_wire(s.settled_at) if final else None, "mdtrt_cert_type": s.cert_type,
        "med_type": s.med_type, **head_fields(s), "psn_part_amt": yuan(s.person_fen),
        "hosp_part_amt": yuan(s.hospital_fen), "acct_mulaid_pay": yuan(s.shared_fen), "medins_setl_id": s.msgid,
        "clr_optins": s.clr_optins if final else None, "clr_way": s.clr_way if final else None,
        "clr_type": s.clr_type, "hifdm_pay": yuan(0),
    }
    return {"setlinfo": info, "setldetail": payer_rows(s)}


def refund_output(s: Settlement, person: asyncpg.Record | None) -> dict[str, Any]:
    """Return the output of a cancellation: every amount negated, what real platforms leave null left null."""
    info: dict[str, object] = {
        "mdtrt_id": s.mdtrt_id, "setl_id": s.setl_id, "psn_no": s.psn_no, "insutype": s.insutype,
        "setl_time": to_wire(s.settled_at), "mdtrt_cert_type": s.cert_type, "med_type": s.med_type,
        **head_fields(s), "psn_part_amt": yuan(s.person_fen), "hosp_part_amt": yuan(s.hospital_fen),
        "acct_mulaid_pay": yuan(s.shared_fen), "medins_setl_id": s.msgid,
        "clr_optins": s.clr_optins, "clr_way": s.clr_way, "clr_type": s.clr_type, "hifdm_pay": yuan(0),
    }
    if person is not None:
        # The class of person is the one the settlement was decided on.
        decided = msgspec.json.decode(s.facts, type=Case).person
        holder = holder_of({**dict(person), "psn_type": decided.psn_type, "civil_servant": decided.civil_servant})
        info |= holder_fields(holder, s.service_on)
    return {"setlinfo": info, "setldetail": payer_rows(s)}


def operator_of(message: Message) -> Operator:
    """Return who acts at the sender's counter."""
    return Operator(message.envelope.get("opter", ""), message.envelope.get("opter_name", ""))


async def quote(
    message: Message, services: Services, *, way: Way[B], bill: B, output: Callable[[Settled], Output]
) -> Output | Refusal:
    """Answer a trial settlement; nothing is written."""
    async with services.database.connection() as connection:
        settled = await steps.quote(
            connection, way=way, bill=bill, key=message.key, operator=operator_of(message), shelf=services.policies,
            gate=services.gate,
        )
    return settled if isinstance(settled, Refusal) else output(settled)


async def settle(
    message: Message, services: Services, encode: Encode, *, way: Way[B], bill: B, output: Callable[[Settled], Output]
) -> bytes | Replayed | Refusal:
    """Settle: at once if nobody stands in the way, else in the person's turn; begin anew when facts move.

    Raises:
        Unavailable: the facts moved each time.
    """

    warnings = list(message.warnings)
    late: list[Settled] = []

    def reply(settled: Settled) -> bytes:
        # Another attempt says it anew.
        told = settled.opened.backfill.words(settled.settlement) if settled.opened.backfill else ""
        message.warnings[:] = [*warnings, told] if told else warnings
        late[:] = [settled] if settled.opened.backfill else []
        return encode(output(settled))

    means: dict[str, Any] = {
        "way": way, "bill": bill, "key": message.key, "operator": operator_of(message), "shelf": services.policies,
        "setl_id": services.ids.new(message.received_at), "clock": services.clock, "encode": reply, "gate": services.gate,
    }
    for _attempt in range(ATTEMPTS_MAX):
        try:
            async with services.database.connection() as connection:
                answer = await steps.settle_at_once(connection, **means) or await steps.settle_in_turn(connection, **means)
        except MovedOn:
            continue
        if isinstance(answer, bytes):
            reached("committed")
            if late:
                await _put_in_order(services, bill.psn_no)
        return answer
    raise Unavailable(MOVED_TOO_OFTEN)


async def _put_in_order(services: Services, psn_no: str) -> None:
    """Put the person's year into the order of service; the settlement stands whatever becomes of it, the worker goes on."""
    try:
        await reorder_open(
            services.database, shelf=services.policies, clock=services.clock, ids=services.ids, psn_no=psn_no
        )
    except (Unavailable, MovedOn, asyncpg.PostgresError) as error:
        _log.warning("a year is not in order yet: %s", error)


class _RollBack(Exception):
    """Leaves the transaction without committing; the refusal travels inside."""

    def __init__(self, answer: Replayed | Refusal) -> None:
        super().__init__()
        self.answer = answer


async def committed(
    services: Services, deed: Callable[[Connection], Awaitable[bytes | Replayed | Refusal]]
) -> bytes | Replayed | Refusal:
    """Run a deed in one transaction: commit its reply, roll back anything else.

    A repeat of the same message may commit between our look and our write; then the deed begins anew and
    finds what was stored.
    """
    for _attempt in range(ATTEMPTS_MAX):
        try:
            async with services.database.transaction() as tx:
                answer = await deed(tx)
                if not isinstance(answer, bytes):
                    raise _RollBack(answer)
        except _RollBack as rolled_back:
            return rolled_back.answer
        except MovedOn:
            continue
        reached("committed")
        return answer
    raise Unavailable(MOVED_TOO_OFTEN)


async def cancel(message: Message, services: Services, encode: Encode) -> bytes | Replayed | Refusal:
    """Cancel the settlement that ``data`` names (2208, 2305, 2103) and answer with the refund."""
    data = message.input["data"]
    command = CancelCommand(data["psn_no"], data["mdtrt_id"], data["setl_id"], message.infno)

    def reply(undone: Undone) -> bytes:
        if undone.settlement is None:
            raise AssertionError("a cancellation always writes a refund")
        return encode(refund_output(undone.settlement, undone.person))

    async def deed(tx: Connection) -> bytes | Replayed | Refusal:
        return await cancel_settlement(
            tx, command=command, key=message.key, operator=operator_of(message), shelf=services.policies,
            setl_id=services.ids.new(message.received_at), clock=services.clock, encode=reply,
        )

    return await committed(services, deed)
