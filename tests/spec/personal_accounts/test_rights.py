"""What the agency's role may do with accounts, and that another region's are not there for it."""

from __future__ import annotations

from datetime import date
from typing import Any

import asyncpg
import pytest

from tests.spec.personal_accounts.conftest import CHECKER, MAKER, REGION, Region, noon
from yibao.kernel.refusal import Refusal
from yibao.usecases.personal_accounts import commands as c
from yibao.usecases.personal_accounts.account_statement import Statement, account_statement
from yibao.usecases.personal_accounts.bind_family import bind_family, unbind_family
from yibao.usecases.personal_accounts.freeze_account import freeze_account, release_account
from yibao.usecases.personal_accounts.inherit_account import propose_inheritance
from yibao.usecases.personal_accounts.set_channel import set_channel
from yibao.usecases.personal_accounts.share_account import share_account, stop_sharing
from yibao.usecases.personal_accounts.take_due import take_due
from yibao.usecases.personal_accounts.withdraw_account import decide_withdrawal

NOW = noon(date(2025, 3, 10))


def test_every_deed_works_with_the_agencys_rights(region: Region) -> None:
    owner, member, dead = region.person(balance=500), region.person(balance=5), region.person(balance=70)
    region.relation(member)
    region.execute("update people.person set died_on = '2025-03-01' where psn_no = $1", dead)

    def do(deed: Any, command: Any, actor: Any = MAKER) -> Any:
        answer = region.agency(lambda tx: deed(tx, command, actor=actor, now=NOW, ids=region.ids, shelf=region.shelf))
        assert not isinstance(answer, Refusal), answer
        return answer

    do(set_channel, c.SetChannel(psn_no=owner, kind="card", card_no="K"))
    do(freeze_account, c.FreezeAccount(psn_no=owner, cause="court", document="d"))
    do(release_account, c.ReleaseAccount(psn_no=owner, document="d"))
    do(bind_family, c.BindFamily(psn_no=owner, member_no=member, kinship="child", consent="d"))
    do(unbind_family, c.UnbindFamily(psn_no=owner, member_no=member))
    do(share_account, c.ShareAccount(sharer_no=owner, member_no=member, kinship="child", consent="d"))
    do(stop_sharing, c.StopSharing(sharer_no=owner, member_no=member))
    made = do(propose_inheritance, c.InheritAccount(psn_no=dead, document="d", heir_no=member))
    decide = c.DecideWithdrawal(psn_no=dead, withdrawal_id=made.withdrawal_id, approve=True)
    assert do(decide_withdrawal, decide, CHECKER).state == "approved"
    assert region.agency(lambda tx: take_due(tx, psn_no=owner, admdvs=REGION, amount_fen=100, funds=[("419900", 100)],
                                             due_id="d1", now=NOW)) is True
    told = region.agency(lambda tx: account_statement(tx, owner))
    assert isinstance(told, Statement)
    assert (told.closing_fen, region.balance(dead), region.balance(member)) == (400, 0, 75)
    assert region.breaches() == []


def test_another_regions_account_is_not_there(region: Region) -> None:
    psn_no = region.person(balance=500)
    for regions in (("441300",), ()):
        told = region.agency(lambda tx: account_statement(tx, psn_no), regions=regions)
        assert isinstance(told, Refusal)
        frozen = region.agency(
            lambda tx: freeze_account(tx, c.FreezeAccount(psn_no=psn_no, cause="court", document="d"), actor=MAKER, now=NOW,
                                      ids=region.ids, shelf=region.shelf), regions=regions)
        assert isinstance(frozen, Refusal)
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        region.agency(lambda tx: tx.execute("delete from personal_accounts.credit"))
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        region.agency(lambda tx: tx.execute("update ledger.posting set cash_fen = 1"))
