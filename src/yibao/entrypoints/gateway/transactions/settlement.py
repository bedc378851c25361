"""2206 trial, 2207 settlement, 2208 cancellation, 2601 reversal."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import date
from decimal import Decimal
from typing import Any

import asyncpg
import msgspec

from yibao.domains.people.queries import find_person
from yibao.domains.settlements.model import Settlement
from yibao.entrypoints.gateway.registry import Encode, Message, Output, Services, query, whole_deed
from yibao.entrypoints.gateway.wire_words import code_text, yuan
from yibao.infra.audit import write as write_audit
from yibao.infra.database import Connection, Unavailable
from yibao.infra.digest import sm3
from yibao.infra.failpoints import reached
from yibao.infra.messages import Replayed, store
from yibao.kernel.business_time import age_on, to_wire
from yibao.kernel.money import yuan_to_fen
from yibao.kernel.refusal import Refusal
from yibao.policy.case import Case
from yibao.usecases.settlement.gather_case import SettleCommand
from yibao.usecases.settlement.reverse_settlement import (
    CancelCommand,
    ReverseCommand,
    Undone,
    cancel_settlement,
    reverse_message,
)
from yibao.usecases.settlement.settle_visit import (
    Operator,
    Settled,
    quote_visit,
    settle_at_once,
    settle_in_turn,
)
from yibao.usecases.settlement.write_settlement import MovedOn

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


def settled_output(settled: Settled, *, final: bool) -> dict[str, object]:
    """Return the output of 2206 (``final`` False: no id, no time, no clearing yet) or 2207."""
    s = settled.settlement
    info: dict[str, object] = {
        "mdtrt_id": s.mdtrt_id, "setl_id": s.setl_id if final else None, "psn_no": s.psn_no,
        **holder_fields(_settled_holder(settled), s.service_on), "insutype": s.insutype,
        "setl_time": to_wire(s.settled_at) if final else None, "mdtrt_cert_type": s.cert_type,
        "med_type": s.med_type, **head_fields(s), "psn_part_amt": yuan(s.person_fen),
        "hosp_part_amt": yuan(s.hospital_fen), "acct_mulaid_pay": yuan(s.shared_fen), "medins_setl_id": s.msgid,
        "clr_optins": s.clr_optins if final else None, "clr_way": s.clr_way if final else None,
        "clr_type": s.clr_type, "hifdm_pay": yuan(0),
    }
    return {"setlinfo": info, "setldetail": payer_rows(s)}


def _settled_holder(settled: Settled) -> Holder:
    return holder_of(settled.row)


def _command(message: Message, *, with_splits: bool) -> SettleCommand:
    data = message.input["data"]
    splits = ("fulamt_ownpay_amt", "overlmt_selfpay", "preselfpay_amt", "inscp_scp_amt") if with_splits else ()
    return SettleCommand(
        psn_no=data["psn_no"], mdtrt_id=data["mdtrt_id"], batch=data["chrg_bchno"], insutype=data["insutype"],
        med_type=data["med_type"], medfee_fen=yuan_to_fen(data["medfee_sumamt"]),
        account_use=data.get("acct_used_flag", "0"), cert_type=data["mdtrt_cert_type"],
        splits=tuple(yuan_to_fen(data.get(name, Decimal(0))) for name in splits), invono=data.get("invono", ""),
        setlway=data.get("psn_setlway", "01"),
    )


def _operator(message: Message) -> Operator:
    return Operator(message.envelope.get("opter", ""), message.envelope.get("opter_name", ""))


@query("2206")
async def quote(message: Message, services: Services) -> Output | Refusal:
    """Answer a trial settlement; nothing is written."""
    async with services.database.connection() as tx:
        settled = await quote_visit(
            tx, command=_command(message, with_splits=False), key=message.key, operator=_operator(message),
            shelf=services.policies,
        )
    return settled if isinstance(settled, Refusal) else settled_output(settled, final=False)


@whole_deed("2207")
async def settle(message: Message, services: Services, encode: Encode) -> bytes | Replayed | Refusal:
    """Settle one charge batch of a visit."""

    def reply(settled: Settled) -> bytes:
        return encode(settled_output(settled, final=True))

    means: dict[str, Any] = {
        "command": _command(message, with_splits=True), "key": message.key, "operator": _operator(message),
        "shelf": services.policies, "setl_id": services.ids.new(message.received_at), "clock": services.clock,
        "encode": reply,
    }
    for _attempt in range(ATTEMPTS_MAX):
        try:
            async with services.database.connection() as connection:
                answer = await settle_at_once(connection, **means) or await settle_in_turn(connection, **means)
        except MovedOn:
            continue
        if isinstance(answer, bytes):
            reached("committed")
        return answer
    raise Unavailable(MOVED_TOO_OFTEN)


class _RollBack(Exception):
    """Leaves the transaction without committing; the refusal travels inside."""

    def __init__(self, answer: Replayed | Refusal) -> None:
        super().__init__()
        self.answer = answer


async def _committed(
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


def refund_output(s: Settlement, person: asyncpg.Record | None) -> dict[str, object]:
    """Return the output of 2208: every amount negated, what real platforms leave null left null."""
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


@whole_deed("2208")
async def cancel(message: Message, services: Services, encode: Encode) -> bytes | Replayed | Refusal:
    """Cancel a settlement as a whole."""
    data = message.input["data"]
    command = CancelCommand(data["psn_no"], data["mdtrt_id"], data["setl_id"])
    person = await _find_person(services, command.psn_no)

    def reply(undone: Undone) -> bytes:
        if undone.settlement is None:
            raise AssertionError("a cancellation always writes a refund")
        return encode(refund_output(undone.settlement, person))

    async def deed(tx: Connection) -> bytes | Replayed | Refusal:
        return await cancel_settlement(
            tx, command=command, key=message.key, operator=_operator(message), shelf=services.policies,
            setl_id=services.ids.new(message.received_at), clock=services.clock, encode=reply,
        )

    return await _committed(services, deed)


async def _find_person(services: Services, psn_no: str) -> asyncpg.Record | None:
    """Return the person for the reply; who somebody is does not move with the money."""
    async with services.database.connection() as connection:
        return await find_person(connection, psn_no)


@whole_deed("2601")
async def reverse(message: Message, services: Services, encode: Encode) -> bytes | Replayed | Refusal:
    """Undo what a message did whose reply was lost; unknown messages succeed without effect."""
    data = message.input["data"]
    command = ReverseCommand(data["psn_no"], data["omsgid"], data["oinfno"])

    async def deed(tx: Connection) -> bytes | Replayed | Refusal:
        answer = await reverse_message(
            tx, command=command, key=message.key, operator=_operator(message), shelf=services.policies,
            setl_id=services.ids.new(message.received_at), clock=services.clock, encode=lambda _undone: encode(None),
        )
        if not isinstance(answer, Undone):
            return answer
        # Nothing to undo: the message itself is answered and remembered all the same.
        reply = encode(None)
        await store(tx, message.key, reply, replied_at=services.clock.now(), psn_no=command.psn_no)
        await write_audit(
            tx, entry_id=services.ids.new(message.received_at), at=message.received_at,
            actor=message.envelope.get("opter", ""), sender=message.key.sender, channel="gateway", verb="reverse_nothing",
            object_id=command.omsgid, admdvs=message.key.admdvs, digest=sm3(reply),
        )
        return reply

    return await _committed(services, deed)
