"""Give a dead person's account to an heir: proposed by one person, decided by another (``decide_withdrawal``)."""

from __future__ import annotations

from datetime import datetime

from yibao.domains.personal_accounts import operations
from yibao.domains.personal_accounts.records import Withdrawal
from yibao.infra.database import Connection
from yibao.kernel.actor import Actor
from yibao.kernel.ids import Ids
from yibao.kernel.refusal import Fault, Refusal
from yibao.usecases.personal_accounts.commands import DecideWithdrawal, InheritAccount
from yibao.usecases.personal_accounts.freeze_account import no_account
from yibao.usecases.personal_accounts.withdraw_account import (
    decide_withdrawal,
    paper_faults,
    payable_faults,
    payee_faults,
    propose,
)
from yibao.usecases.settlement.shelf import PolicyShelf


async def inherit_account(
    tx: Connection, command: InheritAccount, *, checker: Actor, actor: Actor, now: datetime, ids: Ids, shelf: PolicyShelf
) -> Withdrawal | Refusal:
    """Propose by ``actor`` and approve by ``checker`` in one transaction, where both have said so before."""
    made = await propose_inheritance(tx, command, actor=actor, now=now, ids=ids, shelf=shelf)
    return made if isinstance(made, Refusal) else await decide_withdrawal(
        tx, DecideWithdrawal(psn_no=made.psn_no, withdrawal_id=made.withdrawal_id, approve=True), actor=checker, now=now,
        ids=ids, shelf=shelf,
    )


async def propose_inheritance(
    tx: Connection, command: InheritAccount, *, actor: Actor, now: datetime, ids: Ids, shelf: PolicyShelf  # noqa: ARG001
) -> Withdrawal | Refusal:
    """Propose who inherits. An heir insured in the region may take it into the own account; others are paid by the bank."""
    people = await operations.take_owners(tx, [command.psn_no, *([command.heir_no] if command.heir_no else [])])
    owner = people.get(command.psn_no)
    if owner is None or owner.balance_fen is None:
        return no_account(command.psn_no)
    faults = payable_faults(owner) + paper_faults(command.document)
    if owner.died_on is None:
        faults.append(Fault("PERSON_ALIVE", "没有该参保人的死亡记录", "psn_no", command.psn_no, "请先办理死亡登记"))
    if command.heir_no:
        heir = people.get(command.heir_no)
        if heir is None or heir.admdvs != owner.admdvs or command.heir_no == command.psn_no:
            faults.append(Fault("HEIR_NOT_FOUND", "本统筹区没有该继承人", "heir_no", command.heir_no,
                                "请核对继承人的人员编号，或改由银行支付"))
        elif heir.died_on is not None or not heir.is_enrolled:
            faults.append(Fault("HEIR_HAS_NO_ACCOUNT", "继承人没有正在使用的职工个人账户", "heir_no", command.heir_no,
                                "请改由银行支付"))
    else:
        faults += payee_faults(command.payee_name, command.bank_name, command.bank_account)
    return Refusal(tuple(faults)) if faults else await propose(
        tx, owner, kind="inheritance", cause="death", document=command.document, heir_no=command.heir_no or None,
        payee=(command.payee_name, command.bank_name, command.bank_account), actor=actor, now=now, ids=ids,
    )
