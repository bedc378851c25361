"""Who may see a row: the agency's people of its region and county, and the institution whose case it is."""

from __future__ import annotations

from yibao.domains.registers.model import Entry
from yibao.domains.registers.queries import find_entry
from yibao.infra.database import Connection
from yibao.kernel.actor import Actor
from yibao.kernel.refusal import Refusal
from yibao.usecases.registers.close_entry import entry_unknown


async def see_entry(tx: Connection, register_no: str, *, actor: Actor, lock: bool = False) -> Entry | Refusal:
    """Return a row that an actor may see; any other is not there for them."""
    entry = await find_entry(tx, register_no, lock=lock)
    if entry is None or not may_see(entry, actor):
        return entry_unknown(register_no)
    return entry


def may_see(entry: Entry, actor: Actor) -> bool:
    """Say whether a row is one that an actor works with."""
    if entry.admdvs not in actor.regions:
        return False
    if actor.fixmedins_code:
        return entry.fixmedins_code == actor.fixmedins_code
    return entry.division.startswith(actor.division)
