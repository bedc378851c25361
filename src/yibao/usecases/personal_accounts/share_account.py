"""Share an account with a relative: the relative's bills may be paid from it, within limits and in order."""

from __future__ import annotations

from datetime import date, datetime

from yibao.domains.personal_accounts import operations
from yibao.domains.personal_accounts.records import Share
from yibao.domains.personal_accounts.words import KINSHIP
from yibao.infra.database import Connection
from yibao.kernel.actor import Actor
from yibao.kernel.business_time import business_date
from yibao.kernel.ids import Ids
from yibao.kernel.refusal import Fault, Refusal, refuse
from yibao.usecases.personal_accounts.bind_family import consent_faults, pair_faults
from yibao.usecases.personal_accounts.commands import ShareAccount, StopSharing
from yibao.usecases.personal_accounts.law_words import words_of
from yibao.usecases.settlement.shelf import PolicyShelf
from yibao.usecases.trail import write_trail

SHARERS_MAX = 9
"""Sharers of one member; a bound of the form, so that one settlement never locks a crowd."""


async def share_account(
    tx: Connection, command: ShareAccount, *, actor: Actor, now: datetime, ids: Ids, shelf: PolicyShelf
) -> Share | Refusal:
    """Let a member spend the sharer's account, if the law's circle holds the kinship."""
    people = await operations.take_owners(tx, [command.sharer_no, command.member_no])
    sharer, member = people.get(command.sharer_no), people.get(command.member_no)
    faults = pair_faults(sharer, member, names=("sharer_no", "member_no"), numbers=(command.sharer_no, command.member_no))
    faults += consent_faults(command.consent, is_minor=False, says="授权人的共济授权书") + _limit_faults(command)
    today = business_date(now)
    begin_on = command.begin_on or today
    if begin_on < today:
        faults.append(Fault("BEGINS_IN_PAST", "共济不能追溯生效", "begin_on", f"{begin_on}", "请填写今天或以后的日期"))
    if command.end_on is not None and command.end_on <= begin_on:
        faults.append(Fault("ENDS_BEFORE_BEGIN", "终止日期不晚于开始日期", "end_on", f"{command.end_on}", "请核对日期"))
    if sharer is not None:
        if sharer.balance_fen is None:
            faults.append(Fault("ACCOUNT_NOT_FOUND", "授权人没有个人账户", "sharer_no", command.sharer_no,
                                "请由有个人账户的家庭成员授权"))
        circle = words_of(shelf, "sharing_circle", admdvs=sharer.admdvs, on=begin_on, what="共济范围")
        if isinstance(circle, Refusal):
            faults += circle.faults
        elif command.kinship not in circle[0]:
            faults.append(Fault("NOT_IN_CIRCLE", "不在当日的共济范围内", "kinship", command.kinship,
                                f"可共济的亲属：{'、'.join(KINSHIP.get(k, k) for k in circle[0])}", circle[1]))
    if faults:
        return Refusal(tuple(faults))
    assert sharer is not None
    refusal = await _refuse_others(tx, command, on=today)
    if refusal is not None:
        return refusal
    share = Share(
        psn_no=command.member_no, share_id=ids.new(now), admdvs=sharer.admdvs, sharer_no=command.sharer_no,
        kinship=command.kinship, rank=command.rank, once_limit_fen=command.once_limit_fen,
        year_limit_fen=command.year_limit_fen, begin_on=begin_on, end_on=command.end_on, consent=command.consent, made_at=now,
        made_by=actor.login,
    )
    await operations.add_row(tx, "share", share)
    await _told(tx, share, actor=actor, verb="share_account", now=now, ids=ids)
    return share


async def stop_sharing(
    tx: Connection, command: StopSharing, *, actor: Actor, now: datetime, ids: Ids, shelf: PolicyShelf  # noqa: ARG001
) -> Share | Refusal:
    """End sharing from today; what was paid stays paid, and a refund still goes back to the sharer."""
    await operations.take_owners(tx, [command.sharer_no, command.member_no])
    ended = await operations.end_share(
        tx, member_no=command.member_no, sharer_no=command.sharer_no, on=business_date(now), by=actor.login
    )
    if ended is None:
        return refuse("NOT_SHARED", "没有生效的共济授权", field="member_no", received=command.member_no,
                      remedy="请核对双方人员编号")
    await _told(tx, ended, actor=actor, verb="stop_sharing", now=now, ids=ids)
    return ended


async def _told(tx: Connection, share: Share, *, actor: Actor, verb: str, now: datetime, ids: Ids) -> None:
    await operations.move_people(tx, [share.psn_no, share.sharer_no])
    await write_trail(tx, actor, verb=verb, object_id=share.share_id, admdvs=share.admdvs, state=share, now=now, ids=ids)


def _limit_faults(command: ShareAccount) -> list[Fault]:
    faults = [
        Fault("LIMIT_NOT_POSITIVE", "限额应大于零", field, str(value), "请填写大于零的限额，或不设限额")
        for field, value in (("once_limit_fen", command.once_limit_fen), ("year_limit_fen", command.year_limit_fen))
        if value is not None and value <= 0
    ]
    if not 1 <= command.rank <= SHARERS_MAX:
        faults.append(Fault("RANK_OUT_OF_RANGE", "支付顺序超出范围", "rank", str(command.rank), f"请填写 1 至 {SHARERS_MAX}"))
    return faults


async def _refuse_others(tx: Connection, command: ShareAccount, *, on: date) -> Refusal | None:
    shares = await operations.shares_with(tx, command.member_no, on=on)
    if any(s.sharer_no == command.sharer_no for s in shares):
        return refuse("ALREADY_SHARED", "已有生效的共济授权", field="member_no", received=command.member_no,
                      remedy="如需变更限额，请先终止再重新授权")
    if len(shares) >= SHARERS_MAX:
        return refuse("TOO_MANY_SHARERS", f"为同一人共济的不能超过 {SHARERS_MAX} 人", field="member_no",
                      received=command.member_no, remedy="请先终止其他共济授权")
    return None
