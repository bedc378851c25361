"""Freeze an account and release it."""

from __future__ import annotations

from datetime import datetime

from yibao.domains.personal_accounts import operations
from yibao.domains.personal_accounts.records import AccountState, Owner
from yibao.domains.personal_accounts.words import FREEZE_CAUSES
from yibao.infra.database import Connection
from yibao.kernel.actor import Actor
from yibao.kernel.ids import Ids
from yibao.kernel.refusal import Fault, Refusal, refuse
from yibao.ledger.operations import set_frozen
from yibao.usecases.personal_accounts.commands import FreezeAccount, ReleaseAccount
from yibao.usecases.settlement.shelf import PolicyShelf
from yibao.usecases.trail import write_trail


def no_account(psn_no: str) -> Refusal:
    """Return the refusal where a person or the own account is not there."""
    return refuse("ACCOUNT_NOT_FOUND", "没有该参保人的个人账户", field="psn_no", received=psn_no, remedy="请核对人员编号")


async def freeze_account(
    tx: Connection, command: FreezeAccount, *, actor: Actor, now: datetime, ids: Ids, shelf: PolicyShelf  # noqa: ARG001
) -> AccountState | Refusal:
    """Freeze an account. Credits go on arriving; settlements, dues and withdrawals find nothing to take."""
    owner = (await operations.take_owners(tx, [command.psn_no])).get(command.psn_no)
    if owner is None or owner.balance_fen is None:
        return no_account(command.psn_no)
    faults = []
    if command.cause not in FREEZE_CAUSES:
        faults.append(Fault("FREEZE_CAUSE_UNKNOWN", "冻结原因不在可选范围内", "cause", command.cause,
                            f"请填写{'、'.join(FREEZE_CAUSES)}之一"))
    if not command.document.strip():
        faults.append(Fault("DOCUMENT_MISSING", "缺少冻结的依据文书", "document", remedy="请填写文书名称和文号"))
    if owner.is_frozen:
        faults.append(Fault("ALREADY_FROZEN", "个人账户已冻结", "psn_no", command.psn_no, "无需重复冻结"))
    if faults:
        return Refusal(tuple(faults))
    freeze_id = ids.new(now)
    await tx.execute(operations.ADD_FREEZE, owner.psn_no, freeze_id, owner.admdvs, command.cause, command.document, now,
                     actor.login)
    await set_frozen(tx, owner.psn_no, True)
    return await _tell(tx, owner, is_frozen=True, freeze_id=freeze_id, actor=actor, now=now, ids=ids, verb="freeze_account")


async def release_account(
    tx: Connection, command: ReleaseAccount, *, actor: Actor, now: datetime, ids: Ids, shelf: PolicyShelf  # noqa: ARG001
) -> AccountState | Refusal:
    """End a freeze."""
    owner = (await operations.take_owners(tx, [command.psn_no])).get(command.psn_no)
    if owner is None or owner.balance_fen is None:
        return no_account(command.psn_no)
    if not command.document.strip():
        return refuse("DOCUMENT_MISSING", "缺少解冻的依据文书", field="document", remedy="请填写文书名称和文号")
    freeze_id = await tx.fetchval(operations.RELEASE, owner.psn_no, now, actor.login, command.document)
    if freeze_id is None:
        return refuse("NOT_FROZEN", "个人账户没有冻结", field="psn_no", received=command.psn_no, remedy="无需解冻")
    await set_frozen(tx, owner.psn_no, False)
    return await _tell(tx, owner, is_frozen=False, freeze_id=None, actor=actor, now=now, ids=ids, verb="unfreeze_account")


async def _tell(
    tx: Connection, owner: Owner, *, is_frozen: bool, freeze_id: str | None, actor: Actor, now: datetime, ids: Ids, verb: str
) -> AccountState:
    assert owner.balance_fen is not None
    assert owner.opened_on is not None
    state = AccountState(psn_no=owner.psn_no, admdvs=owner.admdvs, balance_fen=owner.balance_fen, opened_on=owner.opened_on,
                         is_frozen=is_frozen, freeze_id=freeze_id)
    await write_trail(tx, actor, verb=verb, object_id=owner.psn_no, admdvs=owner.admdvs, state=state, now=now, ids=ids)
    return state
