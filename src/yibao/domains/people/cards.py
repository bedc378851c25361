"""Reads and writes of social-security cards."""

from __future__ import annotations

from datetime import datetime

import msgspec

from yibao.infra.database import Connection


class Card(msgspec.Struct, frozen=True, kw_only=True):
    """A card and what became of it; the fields stand in the order of table ``people.card``."""

    psn_no: str
    card_no: str
    admdvs: str
    state: str
    since: datetime
    recorded_at: datetime
    replaced_by: str | None = None


OF_PERSON = """
select psn_no, card_no, admdvs, state, since, recorded_at, replaced_by from people.card
where psn_no = $1 order by since for update
"""
BY_NUMBER = """
select psn_no, card_no, admdvs, state, since, recorded_at, replaced_by from people.card
where card_no = $1 order by since desc limit 1
"""
PUT = """
insert into people.card select ($1::people.card).*
on conflict (psn_no, card_no) do update set state = excluded.state, since = excluded.since, recorded_at = excluded.recorded_at,
    replaced_by = excluded.replaced_by
"""
HOLD = "update people.person set card_no = $2, card_state = $3, version = version + 1 where psn_no = $1"


async def list_cards(tx: Connection, psn_no: str) -> list[Card]:
    """List and lock the cards of a person of which a change was told."""
    return [Card(**dict(row)) for row in await tx.fetch(OF_PERSON, psn_no)]


async def find_card(tx: Connection, card_no: str) -> Card | None:
    """Return a card by its number."""
    row = await tx.fetchrow(BY_NUMBER, card_no)
    return None if row is None else Card(**dict(row))


async def put_card(tx: Connection, card: Card) -> None:
    """Write how a card stands."""
    await tx.execute(PUT, msgspec.structs.astuple(card))


async def hold_card(tx: Connection, psn_no: str, *, card_no: str, state: str) -> None:
    """Write the card that a person has now; moves the person's version, so that no settlement goes on with the old one."""
    await tx.execute(HOLD, psn_no, card_no, state)
