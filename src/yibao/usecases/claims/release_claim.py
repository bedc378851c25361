"""Let go of a claim that nothing is paid for: its receipts may be settled or claimed in another way again."""

from __future__ import annotations

from datetime import datetime

from yibao.domains.claims.model import CALCULATED, ENTERED, RELEASED, SETTLED, Claim
from yibao.domains.claims.operations import change_claim, set_live
from yibao.domains.claims.queries import find_of_application, lock_claim
from yibao.domains.encounters.operations import move_person
from yibao.domains.episodes.model import ENTERED as NOTED_HERE
from yibao.domains.episodes.model import HELD, LAPSED
from yibao.domains.episodes.operations import release_claim as release_episode
from yibao.domains.episodes.queries import read as read_episode
from yibao.infra.database import Connection
from yibao.kernel.actor import Actor
from yibao.kernel.business_time import business_date
from yibao.kernel.ids import Ids
from yibao.usecases.claims.desk import hold_person
from yibao.usecases.trail import write_trail

EPISODES = "select * from episodes.episode where psn_no = $1 and claim_id = $2 and state = 'claimed' for update"


async def release_of(
    tx: Connection, application_id: str, *, reason: str, reviewed_by: str, actor: Actor, now: datetime, ids: Ids
) -> Claim | None:
    """Release the claim of an application that ended without payment; None where the application is of no claim.

    Who reviewed it is kept with it: an appeal is for others.
    The receipts of a paid claim that an appeal was against are held by that claim again.
    """
    found = await find_of_application(tx, application_id)
    if found is None:
        return None
    # The person first, as whoever works a claim does.
    await hold_person(tx, found.psn_no)
    claim = await lock_claim(tx, psn_no=found.psn_no, claim_id=found.claim_id)
    if claim is None or claim.state not in (ENTERED, CALCULATED):
        return None
    await set_live(tx, psn_no=claim.psn_no, claim_id=claim.claim_id, is_live=False)
    first = await lock_claim(tx, psn_no=claim.psn_no, claim_id=claim.appeal_of) if claim.appeal_of else None
    if first is not None and first.state == SETTLED:
        await set_live(tx, psn_no=first.psn_no, claim_id=first.claim_id, is_live=True)
    for row in await tx.fetch(EPISODES, claim.psn_no, claim.claim_id):
        episode = read_episode(row)
        is_late = episode.settle_by is not None and business_date(now) > episode.settle_by
        state = LAPSED if is_late else NOTED_HERE if episode.mdtrt_id else HELD
        await release_episode(tx, episode, state=state, now=now, actor=actor.login, channel=actor.channel)
    await move_person(tx, claim.psn_no)
    done = await change_claim(tx, claim, state=RELEASED, reviewed_by=reviewed_by, ended_by=actor.login,
                              ended_at=now, reason=reason or "申请已结束")
    await write_trail(tx, actor, verb="release_claim", object_id=claim.claim_id, admdvs=claim.admdvs, state=done, now=now,
                      ids=ids)
    return done
