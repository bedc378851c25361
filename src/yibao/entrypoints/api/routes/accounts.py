"""Personal accounts: statement, freeze, withdrawal, inheritance, family, sharing, and how the bank reaches them."""

from __future__ import annotations

from datetime import date

import msgspec

from yibao.domains.personal_accounts.records import AccountState, Binding, Channel, Share, Withdrawal
from yibao.entrypoints.api.fields import Id, MaybeWords, PsnNo, Words
from yibao.entrypoints.api.routing import deed, read
from yibao.entrypoints.api.services import Call
from yibao.kernel.identity_number import mask
from yibao.kernel.refusal import Refusal
from yibao.usecases.personal_accounts.account_statement import Statement, account_statement
from yibao.usecases.personal_accounts.bind_family import bind_family, unbind_family
from yibao.usecases.personal_accounts.commands import (
    BindFamily,
    DecideWithdrawal,
    FreezeAccount,
    InheritAccount,
    ReleaseAccount,
    SetChannel,
    ShareAccount,
    StopSharing,
    UnbindFamily,
    WithdrawAccount,
)
from yibao.usecases.personal_accounts.freeze_account import freeze_account, release_account
from yibao.usecases.personal_accounts.inherit_account import propose_inheritance
from yibao.usecases.personal_accounts.set_channel import set_channel
from yibao.usecases.personal_accounts.share_account import share_account, stop_sharing
from yibao.usecases.personal_accounts.withdraw_account import decide_withdrawal, propose_withdrawal


class Freeze(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Why an account is frozen, and the paper behind it."""

    cause: Words
    document: Words


class Release(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The paper by which a freeze ends."""

    document: Words


class WithdrawalDecision(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Whether a withdrawal is made."""

    approve: bool
    note: MaybeWords = ""


@read("/people/{psn_no}/account", verb="show_account")
async def show_account(
    call: Call, psn_no: PsnNo, begin: date | None = None, end: date | None = None
) -> Statement | Refusal:
    """Show what moved an account in a period, with what stood before and after; ``ties`` says that the ledger agrees."""
    return await account_statement(call.tx, psn_no, begin=begin, end=end)


@deed("/people/{psn_no}/account/freeze", verb="freeze_account")
async def freeze_one_account(call: Call, psn_no: PsnNo, data: Freeze) -> AccountState | Refusal:
    """Freeze an account: it receives and keeps, and pays nothing."""
    command = FreezeAccount(psn_no=psn_no, cause=data.cause, document=data.document)
    return await freeze_account(call.tx, command, actor=call.actor, now=call.now, ids=call.ids, shelf=call.shelf)


@deed("/people/{psn_no}/account/release", verb="unfreeze_account")
async def release_one_account(call: Call, psn_no: PsnNo, data: Release) -> AccountState | Refusal:
    """End a freeze."""
    command = ReleaseAccount(psn_no=psn_no, document=data.document)
    return await release_account(call.tx, command, actor=call.actor, now=call.now, ids=call.ids, shelf=call.shelf)


@deed("/account-withdrawals", verb="withdraw_account", status=201)
async def ask_withdrawal(call: Call, data: WithdrawAccount) -> Withdrawal | Refusal:
    """Ask to pay out an account as a whole, for a cause that the law names; somebody else decides."""
    return _masked(await propose_withdrawal(
        call.tx, data, actor=call.actor, now=call.now, ids=call.ids, shelf=call.shelf
    ))


@deed("/account-inheritances", verb="inherit_account", status=201)
async def ask_inheritance(call: Call, data: InheritAccount) -> Withdrawal | Refusal:
    """Ask to give a dead person's account to an heir; somebody else decides."""
    return _masked(await propose_inheritance(
        call.tx, data, actor=call.actor, now=call.now, ids=call.ids, shelf=call.shelf
    ))


@deed("/people/{psn_no}/account-withdrawals/{withdrawal_id}/decide", verb="decide_withdrawal")
async def decide_account_withdrawal(
    call: Call, psn_no: PsnNo, withdrawal_id: Id, data: WithdrawalDecision
) -> Withdrawal | Refusal:
    """Approve or reject a withdrawal or inheritance that somebody else asked for."""
    command = DecideWithdrawal(psn_no=psn_no, withdrawal_id=withdrawal_id, approve=data.approve, note=data.note)
    return _masked(await decide_withdrawal(
        call.tx, command, actor=call.actor, now=call.now, ids=call.ids, shelf=call.shelf
    ))


@deed("/families", verb="bind_family", status=201)
async def bind_relative(call: Call, data: BindFamily) -> Binding | Refusal:
    """Let an owner see a relative and show the relative's code; nothing can be spent by it."""
    return await bind_family(call.tx, data, actor=call.actor, now=call.now, ids=call.ids, shelf=call.shelf)


@deed("/families/endings", verb="bind_family")
async def unbind_relative(call: Call, data: UnbindFamily) -> Binding | Refusal:
    """End a binding; sharing ends only by itself."""
    return await unbind_family(call.tx, data, actor=call.actor, now=call.now, ids=call.ids, shelf=call.shelf)


@deed("/account-shares", verb="share_account", status=201)
async def share_one_account(call: Call, data: ShareAccount) -> Share | Refusal:
    """Let a member's bills be paid from the sharer's account, with order, limits and end."""
    return await share_account(call.tx, data, actor=call.actor, now=call.now, ids=call.ids, shelf=call.shelf)


@deed("/account-shares/endings", verb="share_account")
async def stop_one_sharing(call: Call, data: StopSharing) -> Share | Refusal:
    """End sharing from today."""
    return await stop_sharing(call.tx, data, actor=call.actor, now=call.now, ids=call.ids, shelf=call.shelf)


@deed("/account-channels", verb="set_channel")
async def put_channel(call: Call, data: SetChannel) -> Channel | Refusal:
    """Record how the bank reaches an account: by card, or by a bank account of somebody who lives elsewhere."""
    kept = await set_channel(call.tx, data, actor=call.actor, now=call.now, ids=call.ids, shelf=call.shelf)
    if isinstance(kept, Refusal):
        return kept
    return msgspec.structs.replace(kept, bank_account=mask(kept.bank_account), card_no=mask(kept.card_no))


def _masked(answer: Withdrawal | Refusal) -> Withdrawal | Refusal:
    if isinstance(answer, Refusal):
        return answer
    return msgspec.structs.replace(answer, bank_account=mask(answer.bank_account))


ROUTES = (
    show_account, freeze_one_account, release_one_account, ask_withdrawal, ask_inheritance, decide_account_withdrawal,
    bind_relative, unbind_relative, share_one_account, stop_one_sharing, put_channel,
)
