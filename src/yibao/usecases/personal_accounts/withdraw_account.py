"""Pay out a whole account: proposed by one person, decided by another; an approved one goes to the bank as a payout."""

from __future__ import annotations

from datetime import datetime

import msgspec

from yibao.domains.clearing.rules import same_person
from yibao.domains.personal_accounts import operations
from yibao.domains.personal_accounts.records import Owner, Withdrawal
from yibao.domains.personal_accounts.words import WITHDRAWAL_CAUSES
from yibao.infra.database import Connection
from yibao.kernel.actor import Actor
from yibao.kernel.business_time import business_date
from yibao.kernel.ids import Ids
from yibao.kernel.refusal import Fault, Refusal, refuse
from yibao.ledger.operations import move_account
from yibao.ledger.posting import account_posting, payout
from yibao.usecases.payouts.order_payout import Payout, order_payout
from yibao.usecases.personal_accounts.commands import DecideWithdrawal, WithdrawAccount
from yibao.usecases.personal_accounts.freeze_account import no_account
from yibao.usecases.personal_accounts.law_words import words_of
from yibao.usecases.settlement.shelf import PolicyShelf
from yibao.usecases.trail import write_trail


async def withdraw_account(
    tx: Connection, command: WithdrawAccount, *, checker: Actor, actor: Actor, now: datetime, ids: Ids, shelf: PolicyShelf
) -> Withdrawal | Refusal:
    """Propose by ``actor`` and approve by ``checker`` in one transaction, where both have said so before."""
    made = await propose_withdrawal(tx, command, actor=actor, now=now, ids=ids, shelf=shelf)
    return made if isinstance(made, Refusal) else await decide_withdrawal(
        tx, DecideWithdrawal(psn_no=made.psn_no, withdrawal_id=made.withdrawal_id, approve=True), actor=checker, now=now,
        ids=ids, shelf=shelf,
    )


async def propose_withdrawal(
    tx: Connection, command: WithdrawAccount, *, actor: Actor, now: datetime, ids: Ids, shelf: PolicyShelf
) -> Withdrawal | Refusal:
    """Propose to pay out an account for a cause of the law; the person must have left the insurance first."""
    owner = (await operations.take_owners(tx, [command.psn_no])).get(command.psn_no)
    if owner is None or owner.balance_fen is None:
        return no_account(command.psn_no)
    causes = words_of(shelf, "withdrawal_causes", admdvs=owner.admdvs, on=business_date(now), what="一次性支取的情形")
    if isinstance(causes, Refusal):
        return causes
    faults = payable_faults(owner)
    if command.cause not in causes[0]:
        allowed = "、".join(WITHDRAWAL_CAUSES.get(c, c) for c in causes[0])
        faults.append(Fault("CAUSE_NOT_ALLOWED", "不属于可以一次性支取的情形", "cause", command.cause, f"可支取的情形：{allowed}",
                            causes[1]))
    if owner.died_on is not None:
        faults.append(Fault("PERSON_DEAD", "参保人已死亡", "psn_no", command.psn_no, "请办理个人账户继承"))
    elif owner.is_enrolled:
        faults.append(Fault("STILL_ENROLLED", "职工医保参保关系尚未终止", "psn_no", command.psn_no, "请先办理停保"))
    faults += paper_faults(command.document)
    faults += payee_faults(command.payee_name, command.bank_name, command.bank_account)
    return Refusal(tuple(faults)) if faults else await propose(
        tx, owner, kind="withdrawal", cause=command.cause, document=command.document, heir_no=None,
        payee=(command.payee_name, command.bank_name, command.bank_account), actor=actor, now=now, ids=ids,
    )


def payable_faults(owner: Owner) -> list[Fault]:
    """Return what keeps an account from being paid out."""
    faults = []
    if owner.is_frozen:
        faults.append(Fault("ACCOUNT_FROZEN", "个人账户已冻结", "psn_no", owner.psn_no, "请先解冻"))
    if owner.balance_fen == 0:
        faults.append(Fault("ACCOUNT_EMPTY", "个人账户没有余额", "psn_no", owner.psn_no, "无需支取"))
    return faults


def paper_faults(document: str) -> list[Fault]:
    """Return what is missing of the paper behind a decision."""
    return [] if document.strip() else [Fault("DOCUMENT_MISSING", "缺少依据材料", "document", remedy="请填写材料名称和编号")]


def payee_faults(name: str, bank_name: str, bank_account: str) -> list[Fault]:
    """Return what is missing of who is paid."""
    told = (("payee_name", name, "收款人"), ("bank_name", bank_name, "开户行"), ("bank_account", bank_account, "收款账号"))
    return [
        Fault("PAYEE_INCOMPLETE", f"缺少{label}", field, remedy=f"请补充{label}")
        for field, value, label in told if not value.strip()
    ]


async def propose(
    tx: Connection, owner: Owner, *, kind: str, cause: str, document: str, heir_no: str | None, payee: tuple[str, str, str],
    actor: Actor, now: datetime, ids: Ids,
) -> Withdrawal | Refusal:
    """Write a proposal; an account has one at a time."""
    earlier = await operations.open_withdrawal(tx, owner.psn_no)
    if earlier is not None:
        return refuse("WITHDRAWAL_OPEN", "已有待复核的支取或继承申请", field="psn_no", received=earlier.withdrawal_id,
                      remedy="请先复核或退回该申请")
    made = Withdrawal(
        psn_no=owner.psn_no, withdrawal_id=ids.new(now), admdvs=owner.admdvs, kind=kind, cause=cause, document=document,
        amount_fen=owner.balance_fen or 0, heir_no=heir_no, payee_name=payee[0], bank_name=payee[1], bank_account=payee[2],
        state="proposed", made_at=now, made_by=actor.login,
    )
    await operations.add_row(tx, "withdrawal", made)
    await write_trail(tx, actor, verb=f"propose_{kind}", object_id=made.withdrawal_id, admdvs=made.admdvs, state=made, now=now,
                      ids=ids)
    return made


async def decide_withdrawal(
    tx: Connection, command: DecideWithdrawal, *, actor: Actor, now: datetime, ids: Ids, shelf: PolicyShelf  # noqa: ARG001
) -> Withdrawal | Refusal:
    """Decide what a colleague proposed. Approval takes what the account holds at this moment, and ends its sharing."""
    found = await operations.find_withdrawal(tx, psn_no=command.psn_no, withdrawal_id=command.withdrawal_id)
    if found is None:
        return refuse("WITHDRAWAL_NOT_FOUND", "没有这个支取或继承申请", field="withdrawal_id", received=command.withdrawal_id,
                      remedy="请核对申请编号")
    if found.state != "proposed":
        return refuse("WITHDRAWAL_DECIDED", "该申请已经复核", field="withdrawal_id", received=command.withdrawal_id,
                      remedy="无需重复办理")
    if same_person(found.made_by, actor.login):
        return refuse("FOUR_EYES", "经办人不能复核自己提出的申请", field="actor", received=actor.login, remedy="请由其他人员复核")
    owners = await operations.take_owners(tx, [found.psn_no, *([found.heir_no] if found.heir_no else [])])
    amount = found.amount_fen
    if command.approve:
        owner = owners.get(found.psn_no)
        if owner is None:
            return no_account(found.psn_no)
        faults = payable_faults(owner) + _changed_faults(found, owner, owners.get(found.heir_no or ""))
        if faults:
            return Refusal(tuple(faults))
        amount = owner.balance_fen or 0
        refusal = await _pay(tx, msgspec.structs.replace(found, amount_fen=amount), actor=actor, now=now, ids=ids)
        if refusal is not None:
            return refusal
        await operations.end_shares_of(tx, found.psn_no, on=business_date(now), by=actor.login)
    done = await operations.decide_withdrawal(
        tx, found, state="approved" if command.approve else "rejected", amount_fen=amount, by=actor.login, now=now,
        note=command.note,
    )
    verb = "approve" if command.approve else "reject"
    await write_trail(tx, actor, verb=f"{verb}_{done.kind}", object_id=done.withdrawal_id, admdvs=done.admdvs, state=done,
                      now=now, ids=ids)
    return done


def _changed_faults(found: Withdrawal, owner: Owner, heir: Owner | None) -> list[Fault]:
    """Return what has come between a proposal and its approval."""
    faults = []
    if found.kind == "withdrawal" and owner.died_on is not None:
        faults.append(Fault("PERSON_DEAD", "参保人已死亡", "psn_no", owner.psn_no, "请退回申请，办理个人账户继承"))
    elif found.kind == "withdrawal" and owner.is_enrolled:
        faults.append(Fault("STILL_ENROLLED", "职工医保参保关系尚未终止", "psn_no", owner.psn_no, "请先办理停保"))
    if found.heir_no and (heir is None or heir.died_on is not None or not heir.is_enrolled):
        faults.append(Fault("HEIR_HAS_NO_ACCOUNT", "继承人没有正在使用的职工个人账户", "heir_no", found.heir_no,
                            "请退回申请，改由银行支付"))
    return faults


async def _pay(tx: Connection, w: Withdrawal, *, actor: Actor, now: datetime, ids: Ids) -> Refusal | None:
    """Take the whole account; to the heir's account, or to the bank."""
    posting_id = f"wd-{w.withdrawal_id}"
    taken = await move_account(tx, account_posting(
        w.kind, psn_no=w.psn_no, posting_id=posting_id, admdvs=w.admdvs, posted_at=now, amount=-w.amount_fen,
        other=payout(w.admdvs),
    ))
    assert taken is not None
    assert taken.balance_fen == 0
    if w.heir_no:
        given = await move_account(tx, account_posting(
            w.kind, psn_no=w.heir_no, posting_id=posting_id, admdvs=w.admdvs, posted_at=now, amount=w.amount_fen,
            other=payout(w.admdvs), origin_id=posting_id,
        ))
        assert given is not None
        return None
    ordered = await order_payout(tx, Payout(
        payout_id=posting_id, admdvs=w.admdvs, purpose=w.kind, psn_no=w.psn_no, payee_name=w.payee_name, bank_name=w.bank_name,
        bank_account=w.bank_account, amount_fen=w.amount_fen, origin=w.withdrawal_id,
    ), actor=actor, now=now, ids=ids)
    return ordered if isinstance(ordered, Refusal) else None
