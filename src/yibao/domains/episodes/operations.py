"""Writes of episodes. Each moves the person's version: a settlement being decided on the old facts begins anew."""

from __future__ import annotations

from datetime import datetime

import msgspec

from yibao.domains.episodes.model import CLAIMED, LAPSED, Cash, Episode, RemoteFiling
from yibao.domains.episodes.queries import read
from yibao.infra.database import Connection

LOCK_PERSON = "select from people.person where psn_no = $1 for no key update"
MOVE_PERSON = "update people.person set version = version + 1 where psn_no = $1"
INSERT = "insert into episodes.episode select ($1::episodes.episode).*"
PUT = """
update episodes.episode x set register_no = $3, state = $4, mdtrt_id = $5, begin_at = $6, end_at = $7, position = $8,
    disposition = $9, rule_id = $10, plan_version = $11, total_fen = $12, deposit_fen = $13, paid_fen = $14, back_fen = $15,
    settle_by = $16, self_pay_from = $17, self_pay_to = $18, credential = $19, claim_id = $20, says = $21
where x.psn_no = $1 and x.episode_id = $2 returning x.*
"""
ADD_STEP = """
select episodes.add_step(x, $3, $4, $5, $6, $7) from episodes.episode x where x.psn_no = $1 and x.episode_id = $2
"""
ADD_CASH = """
select episodes.add_cash(x, $3, $4, $5, '', $6, $7) from episodes.episode x where x.psn_no = $1 and x.episode_id = $2
"""
MOVE_ENTRY = """
select episodes.move_entry(x, $3, $4, $5) from episodes.episode x where x.psn_no = $1 and x.episode_id = $2
"""


async def lock_person(tx: Connection, psn_no: str) -> None:
    """Lock a person: deeds on his or her episodes, and settlements, come one after the other."""
    await tx.execute(LOCK_PERSON, psn_no)


async def add_episode(tx: Connection, episode: Episode) -> None:
    """Write a new episode."""
    await tx.execute(MOVE_PERSON, episode.psn_no)
    await tx.execute(INSERT, msgspec.structs.astuple(episode))


async def put_episode(
    tx: Connection, e: Episode, *, what: str, now: datetime, actor: str, channel: str, says: str = ""
) -> Episode:
    """Write an episode as it stands now, the step that made it so, and its row in the register.

    What names the case (person, institution, number) and what only a settlement writes is left as it is stored.
    """
    await tx.execute(MOVE_PERSON, e.psn_no)
    row = await tx.fetchrow(
        PUT, e.psn_no, e.episode_id, e.register_no, e.state, e.mdtrt_id, e.begin_at, e.end_at, e.position, e.disposition,
        e.rule_id, e.plan_version, e.total_fen, e.deposit_fen, e.paid_fen, e.back_fen, e.settle_by, e.self_pay_from,
        e.self_pay_to, e.credential, e.claim_id, e.says,
    )
    if row is None:
        raise AssertionError("the episode to change is gone")
    await tx.execute(ADD_STEP, e.psn_no, e.episode_id, what, now, actor, channel, says)
    if e.register_no:
        await tx.execute(MOVE_ENTRY, e.psn_no, e.episode_id, now, actor, channel)
    return read(row)


async def add_step(
    tx: Connection, e: Episode, *, what: str, now: datetime, actor: str, channel: str, says: str = ""
) -> None:
    """Write that something happened to an episode."""
    await tx.execute(ADD_STEP, e.psn_no, e.episode_id, what, now, actor, channel, says)


async def add_cash(
    tx: Connection, e: Episode, *, kind: str, amount_fen: int, receipt_no: str, now: datetime, actor: str
) -> None:
    """Write cash that went over the counter: into the institution positive, out of it negative."""
    await tx.execute(ADD_CASH, e.psn_no, e.episode_id, kind, amount_fen, receipt_no, now, actor)


async def add_remote_filing(tx: Connection, filing: RemoteFiling) -> None:
    """Write a late filing."""
    await tx.execute(MOVE_PERSON, filing.psn_no)
    await tx.execute("insert into episodes.remote_filing select ($1::episodes.remote_filing).*",
                     msgspec.structs.astuple(filing))


async def claim_episode(
    tx: Connection, e: Episode, *, claim_id: str, now: datetime, actor: str, channel: str
) -> Episode:
    """A claim takes the bill of an open or lapsed episode: it cannot be backfilled any more. The caller holds the person."""
    taken = msgspec.structs.replace(e, state=CLAIMED, claim_id=claim_id)
    return await put_episode(tx, taken, what="claimed", now=now, actor=actor, channel=channel, says=claim_id)


async def release_claim(
    tx: Connection, e: Episode, *, state: str = LAPSED, now: datetime, actor: str, channel: str
) -> Episode:
    """The claim gives the bill back (withdrawn, refused): the episode is in ``state`` again. The caller holds the person.

    Args:
        state: ``held``, ``entered`` or ``lapsed``, as the day lies before or after ``settle_by``.
    """
    free = msgspec.structs.replace(e, state=state, claim_id="")
    return await put_episode(tx, free, what="claim_released", now=now, actor=actor, channel=channel, says=e.claim_id)


def of_cash(rows: list[Cash]) -> int:
    """Return what the institution holds of a patient's money by the rows of its counter."""
    return sum(row.amount_fen for row in rows)
