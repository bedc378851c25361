"""Take in what institutions noted without a connection: conflicts are listed, nothing is drawn from any account.

Off unless the plan says otherwise: a rule ``continue`` with the term ``offline_notes``. A deduction made blind to the
balance is a debt; so a note carries cash only, and the account pays at the backfill by the balance of then.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import msgspec

from yibao.domains.episodes.model import Episode
from yibao.infra.database import Connection
from yibao.kernel.actor import Actor
from yibao.kernel.ids import Ids
from yibao.kernel.refusal import Fault, Refusal, refuse
from yibao.usecases.episodes.commands import NoteEpisode
from yibao.usecases.episodes.note_episode import note_episode
from yibao.usecases.windows.pass_gate import Gate

NOTED, KNOWN, CONFLICT = "noted", "known", "conflict"
TERM = "offline_notes"


class Sent(msgspec.Struct, frozen=True, kw_only=True):
    """What became of one note."""

    ordinal: int
    outcome: str
    episode: Episode | None = None
    faults: tuple[Fault, ...] = ()


async def send_notes(
    tx: Connection, notes: Sequence[NoteEpisode], *, actor: Actor, now: datetime, ids: Ids, gate: Gate
) -> list[Sent] | Refusal:
    """Note each in the order in which it was written down; those that conflict are listed with every fault.

    Sent again, what was kept is known and nothing is kept twice. Refused as a whole where the plan does not allow it.
    """
    if not allowed(gate, actor.regions, now):
        return refuse("OFFLINE_NOTES_OFF", "停机方案没有开通断网登记补传", field="notes", received=str(len(notes)),
                      remedy="请逐条登记停机期间病例；需要开通的请联系经办机构")
    order = sorted(range(len(notes)), key=lambda i: (notes[i].noted_at or now, i))
    sent: dict[int, Sent] = {}
    for i in order:
        noted = await note_episode(tx, msgspec.structs.replace(notes[i], off_line=True), actor=actor, now=now, ids=ids,
                                   gate=gate)
        if isinstance(noted, Refusal):
            sent[i] = Sent(ordinal=i, outcome=CONFLICT, faults=noted.faults)
        else:
            sent[i] = Sent(ordinal=i, outcome=NOTED if noted.is_new else KNOWN, episode=noted.episode)
    return [sent[i] for i in range(len(notes))]


def allowed(gate: Gate, regions: Sequence[str], now: datetime) -> bool:
    """Say whether a plan in force of one of the regions lets institutions note without a connection."""
    plans = [plan for region in regions if (plan := gate.plan_for(region, now)) is not None]
    return any(
        rule.disposition == "continue" and rule.terms.get(TERM) is True for plan in plans for rule in plan.rules
    )
