"""Record what the office that issues cards says of a card: from the next message on it may be used, or not."""

from __future__ import annotations

from datetime import datetime

import msgspec

from yibao.domains.people.cards import Card, hold_card, list_cards, put_card
from yibao.domains.people.queries import find_by_certificate
from yibao.infra.database import Connection
from yibao.kernel.actor import Actor
from yibao.kernel.identity_number import mask
from yibao.kernel.ids import Ids
from yibao.kernel.refusal import Refusal, refuse
from yibao.usecases.trail import write_trail

ACTIVE, LOST, FOUND, REPLACED, CANCELLED = "active", "lost", "found", "replaced", "cancelled"
IDENTITY_CARD = "01"


class CardChange(msgspec.Struct, frozen=True, kw_only=True):
    """A change of a card: ``active`` (issued), ``lost``, ``found``, ``replaced`` (``card_no`` is the new one), ``cancelled``."""

    certno: str
    card_no: str
    state: str
    at: datetime
    old_card_no: str = ""
    admdvs: str = ""


class CardRecorded(msgspec.Struct, frozen=True):
    """The person's card after a change; ``is_news`` False: something later was known already."""

    psn_no: str
    state: str
    is_news: bool


async def record_card(
    tx: Connection, change: CardChange, *, actor: Actor, now: datetime, ids: Ids
) -> CardRecorded | Refusal:
    """Record a change of a card; news that come late, out of order, do not undo what happened after them."""
    if change.state not in (ACTIVE, LOST, FOUND, REPLACED, CANCELLED):
        return refuse("CARD_STATE_UNKNOWN", "不认识的卡状态", field="state", received=change.state[:20], remedy="请对方核对")
    person = await find_by_certificate(tx, cert_type=IDENTITY_CARD, certno=change.certno)
    if person is None:
        return refuse("PERSON_NOT_FOUND", "没有该证件的参保人", field="certno", received=mask(change.certno),
                      remedy="请核对证件号码；参保后可重新处理")
    psn_no, admdvs, held = person["psn_no"], person["admdvs"], person["card_no"] or ""
    known = {card.card_no: card for card in await list_cards(tx, psn_no)}
    gives = change.state in (ACTIVE, REPLACED)
    if not gives and change.card_no not in known and change.card_no != held:
        return refuse("CARD_NOT_OF_PERSON", "该卡不是此人的卡", field="card_no", received=mask(change.card_no),
                      remedy="请对方核对卡号")
    newest = max((card.since for card in known.values()), default=None)
    if newest is not None and newest > change.at:
        return CardRecorded(psn_no, person["card_state"], False)
    state = ACTIVE if gives or change.state == FOUND else change.state
    old = change.old_card_no or (held if gives else "")
    if old and old != change.card_no:
        await put_card(tx, Card(psn_no=psn_no, card_no=old, admdvs=admdvs, state=REPLACED, since=change.at, recorded_at=now,
                                replaced_by=change.card_no))
    await put_card(tx, Card(psn_no=psn_no, card_no=change.card_no, admdvs=admdvs, state=state, since=change.at, recorded_at=now))
    if gives or change.card_no == held:
        await hold_card(tx, psn_no, card_no=change.card_no, state=state)
    recorded = CardRecorded(psn_no, state, True)
    await write_trail(tx, actor, verb="record_card", object_id=psn_no, admdvs=admdvs, state=(recorded, mask(change.card_no)),
                      now=now, ids=ids)
    return recorded
