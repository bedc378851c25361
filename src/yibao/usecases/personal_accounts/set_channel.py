"""Record how the bank reaches an account, so that a credit can be matched there."""

from __future__ import annotations

from datetime import datetime

from yibao.domains.personal_accounts import operations
from yibao.domains.personal_accounts.records import Channel
from yibao.infra.database import Connection
from yibao.kernel.actor import Actor
from yibao.kernel.ids import Ids
from yibao.kernel.refusal import Fault, Refusal, refuse
from yibao.usecases.personal_accounts.commands import SetChannel
from yibao.usecases.settlement.shelf import PolicyShelf
from yibao.usecases.trail import write_trail

KINDS = ("card", "bank")


async def set_channel(
    tx: Connection, command: SetChannel, *, actor: Actor, now: datetime, ids: Ids, shelf: PolicyShelf  # noqa: ARG001
) -> Channel | Refusal:
    """Write what the bank knows of a person: the card with its state, or the bank account of who lives elsewhere."""
    owner = (await operations.take_owners(tx, [command.psn_no])).get(command.psn_no)
    if owner is None:
        return refuse("PERSON_NOT_FOUND", "没有该人员", field="psn_no", received=command.psn_no, remedy="请核对人员编号")
    faults = []
    if command.kind not in KINDS:
        faults.append(Fault("CHANNEL_UNKNOWN", "账户方式应为 card（社保卡）或 bank（银行账户）", "kind", command.kind, "请核对"))
    if command.kind == "card" and not command.card_no.strip():
        faults.append(Fault("CARD_NUMBER_MISSING", "缺少社保卡号", "card_no", remedy="请填写银行登记的社保卡号"))
    if faults:
        return Refusal(tuple(faults))
    channel = Channel(
        psn_no=command.psn_no, admdvs=owner.admdvs, kind=command.kind, card_no=command.card_no, bank_name=command.bank_name,
        bank_account=command.bank_account, has_finance=command.has_finance, is_active=command.is_active, changed_at=now,
        changed_by=actor.login,
    )
    await operations.put_channel(tx, channel)
    await write_trail(tx, actor, verb="set_channel", object_id=channel.psn_no, admdvs=channel.admdvs, state=channel, now=now,
                      ids=ids)
    return channel
