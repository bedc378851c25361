"""2206 trial and 2207 settlement of a visit, 2208 its cancellation, 2601 reversal of a message."""

from __future__ import annotations

from decimal import Decimal

from yibao.entrypoints.gateway import settling
from yibao.entrypoints.gateway.registry import Encode, Message, Output, Services, query, whole_deed
from yibao.entrypoints.gateway.transactions.outpatient import exp_content
from yibao.infra.audit import write as write_audit
from yibao.infra.database import Connection
from yibao.infra.digest import sm3
from yibao.infra.messages import Replayed, store
from yibao.kernel.money import yuan_to_fen
from yibao.kernel.refusal import Refusal
from yibao.usecases.filings.words import words
from yibao.usecases.settlement.gather_case import VISIT, SettleCommand
from yibao.usecases.settlement.reverse_settlement import ReverseCommand, Undone, reverse_message
from yibao.usecases.settlement.way import Settled

SPLITS = ("fulamt_ownpay_amt", "overlmt_selfpay", "preselfpay_amt", "inscp_scp_amt")


def _command(message: Message, services: Services, *, with_splits: bool) -> SettleCommand:
    data = message.input["data"]
    classes = words().injury_classes | words().maternal_classes
    return SettleCommand(
        psn_no=data["psn_no"], mdtrt_id=data["mdtrt_id"], batch=data["chrg_bchno"], insutype=data["insutype"],
        med_type=data["med_type"], medfee_fen=yuan_to_fen(data["medfee_sumamt"]),
        account_use=data.get("acct_used_flag", "0"), cert_type=data["mdtrt_cert_type"],
        splits=tuple(yuan_to_fen(data.get(name, Decimal(0))) for name in SPLITS) if with_splits else (),
        invono=data.get("invono", ""), setlway=data.get("psn_setlway", "01"), exp_content=exp_content(data),
        needs_filings=(
            data["med_type"] in classes or bool(exp_content(data))
            or services.policies.asks_filings(message.institution.region)
        ),
    )


def _quoted(settled: Settled) -> Output:
    return settling.settled_output(settled, final=False)


def _settled(settled: Settled) -> Output:
    return settling.settled_output(settled, final=True)


@query("2206")
async def quote(message: Message, services: Services) -> Output | Refusal:
    """Answer a trial settlement; nothing is written."""
    bill = _command(message, services, with_splits=False)
    return await settling.quote(message, services, way=VISIT, bill=bill, output=_quoted)


@whole_deed("2207")
async def settle(message: Message, services: Services, encode: Encode) -> bytes | Replayed | Refusal:
    """Settle one charge batch of a visit."""
    bill = _command(message, services, with_splits=True)
    return await settling.settle(message, services, encode, way=VISIT, bill=bill, output=_settled)


@whole_deed("2208")
async def cancel(message: Message, services: Services, encode: Encode) -> bytes | Replayed | Refusal:
    """Cancel a settlement as a whole."""
    return await settling.cancel(message, services, encode)


@whole_deed("2601")
async def reverse(message: Message, services: Services, encode: Encode) -> bytes | Replayed | Refusal:
    """Undo what a message did whose reply was lost; unknown messages succeed without effect."""
    data = message.input["data"]
    command = ReverseCommand(data["psn_no"], data["omsgid"], data["oinfno"])

    async def deed(tx: Connection) -> bytes | Replayed | Refusal:
        answer = await reverse_message(
            tx, command=command, key=message.key, operator=settling.operator_of(message), shelf=services.policies,
            setl_id=services.ids.new(message.received_at), clock=services.clock, encode=lambda _undone: encode(None),
        )
        if not isinstance(answer, Undone):
            return answer
        # No money to undo: the message itself is answered and remembered all the same.
        reply = encode(None)
        await store(tx, message.key, reply, replied_at=services.clock.now(), psn_no=command.psn_no)
        await write_audit(
            tx, entry_id=services.ids.new(message.received_at), at=message.received_at,
            actor=message.envelope.get("opter", ""), sender=message.key.sender, channel="gateway", verb=answer.verb,
            object_id=command.omsgid, admdvs=message.key.admdvs, digest=sm3(reply),
        )
        return reply

    return await settling.committed(services, deed)
