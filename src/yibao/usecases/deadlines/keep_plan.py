"""Keep what a plan promises about time when it is published, amended or withdrawn, in the same transaction."""

from __future__ import annotations

from datetime import datetime

import msgspec

from yibao.domains.deadlines.model import Term
from yibao.domains.deadlines.operations import add_terms, end_terms
from yibao.domains.deadlines.queries import terms_of
from yibao.domains.windows.model import Plan
from yibao.infra.database import Connection
from yibao.kernel.actor import Actor
from yibao.kernel.ids import Ids
from yibao.usecases.deadlines.promised import promised
from yibao.usecases.trail import write_trail


class Kept(msgspec.Struct, frozen=True):
    """How many promises are new or changed, and how many ended."""

    added: int
    ended: int


async def keep_plan(
    tx: Connection, plan: Plan, *, actor: Actor, now: datetime, ids: Ids, withdrawn: bool = False
) -> Kept:
    """Keep the promises of a version; those of an earlier one that changed or are gone end, the same ones stay.

    What already moved because of them is moved on by ``move_deadlines``, in chunks, afterwards.
    """
    held = [t for t in await terms_of(tx, [plan.admdvs]) if t.plan == plan.name]
    wanted = [] if withdrawn else promised(plan, now=now)
    same = {_key(t) for t in held if any(_says_same(t, w) for w in wanted)}
    ended = [t for t in held if _key(t) not in same]
    added = [t for t in wanted if _key(t) not in same]
    if ended or added:
        await end_terms(tx, ended, now=now)
        await add_terms(tx, added)
        await write_trail(tx, actor, verb="keep_deadlines", object_id=f"{plan.name}/{plan.version}", admdvs=plan.admdvs,
                          state=added, now=now, ids=ids, rule=plan.name)
    return Kept(len(added), len(ended))


def _key(term: Term) -> tuple[str, str, str]:
    return term.rule, term.kind, term.what


def _says_same(held: Term, wanted: Term) -> bool:
    """Say whether two versions promise the same, whatever their numbers."""
    return msgspec.structs.replace(wanted, version=held.version, noted_at=held.noted_at) == held
