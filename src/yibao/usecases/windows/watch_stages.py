"""The stop rule of a reopening: a stage in which too many messages fail closes by itself, says why, and waits for somebody.

Counted are the institutions' messages of the stage's businesses over the plan's minutes: what was answered, and what was
refused or not answered. After a change of systems a refusal is as often ours (a mapping or a filing that is missing) as
theirs, so it counts as failed; what a window itself refused and a number used twice does not count at all.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

import msgspec

from yibao.domains.windows import queries
from yibao.domains.windows.model import Plan, Stage
from yibao.domains.windows.reading import read_plan
from yibao.domains.windows.stored import STOP_STAGE, Opening
from yibao.domains.windows.tables import ways
from yibao.infra.database import Connection
from yibao.kernel.actor import Actor
from yibao.kernel.ids import Ids
from yibao.kernel.refusal import Refusal
from yibao.usecases.windows.business_of import refined_of
from yibao.usecases.windows.open_stage import OPENED, StageState, note_opening, stages_of

WORKER = "worker"
KINDS = {"hospital": "1", "pharmacy": "2"}
_WHOLE = 10_000
COUNT = """
with told as (
    select sender, true as is_well from platform.message
    where admdvs = $1 and infno = any ($2) and received_at >= $3 and received_at < $4 and state = 'answered'
    union all
    select sender, outcome = 'answered' from platform.traffic
    where admdvs = $1 and infno = any ($2) and received_at >= $3 and received_at < $4 and outcome <> 'replayed'
      and coalesce(refusal_code, '') <> all (array['WINDOW_STOPPED', 'MSGID_REUSED'])
)
select count(*) as all_of, count(*) filter (where not is_well) as failed from told t
where cardinality($5::text[]) + cardinality($6::text[]) = 0 or t.sender = any ($5)
   or exists (select from institutions.institution i where i.fixmedins_code = t.sender and i.kind = any ($6))
"""


class Errors(msgspec.Struct, frozen=True):
    """How the messages of a stage went: counts over its minutes, the share of failed ones in ten-thousandths."""

    all_of: int
    failed: int

    @property
    def rate(self) -> int:
        """Return the share of failed messages, rounded down; 0 without any."""
        return self.failed * _WHOLE // self.all_of if self.all_of else 0


async def watch_stages(tx: Connection, *, regions: Iterable[str], now: datetime, ids: Ids) -> list[Opening]:
    """Stop every open stage whose share of failed messages is above its rule; done again it stops nothing more."""
    stopped: list[Opening] = []
    wanted = set(regions)
    for stored in await queries.list_published(tx):
        plan = read_plan(stored.text)
        if isinstance(plan, Refusal) or plan.admdvs not in wanted or not _is_reopening(plan, now):
            continue
        await queries.lock_plan(tx, plan.admdvs, plan.name)
        for state in (await stages_of(tx, plan, now=now)).values():
            opening = await _judge(tx, plan, state, now=now)
            if opening is not None:
                actor = Actor(login=WORKER, channel=WORKER, regions=(plan.admdvs,))
                stopped.append(await note_opening(tx, opening, actor=actor, now=now, ids=ids))
    return stopped


async def errors_of(tx: Connection, admdvs: str, stage: Stage, *, since: datetime, now: datetime) -> Errors:
    """Count the messages of a stage from ``since`` up to ``now``."""
    row = await tx.fetchrow(
        COUNT, admdvs, list(transactions_of(stage.business)), max(since, now - timedelta(minutes=stage.minutes)), now,
        [i for i in stage.institutions if i not in KINDS], [KINDS[i] for i in stage.institutions if i in KINDS],
    )
    assert row is not None
    return Errors(row["all_of"], row["failed"])


def transactions_of(businesses: Iterable[str]) -> tuple[str, ...]:
    """Return the transactions by which any of some businesses is done."""
    wanted = set(businesses)
    return tuple(
        name for (kind, name), plain in ways().items() if kind == "transaction" and wanted & {plain, *refined_of(plain)}
    )


def _is_reopening(plan: Plan, now: datetime) -> bool:
    """Say whether any stage of a plan is still watched: from its restart on until all is normal."""
    if not any(s.error_rate is not None for s in plan.stages):
        return False
    tracks = [t for s in plan.stages for b in s.business if (t := plan.track_of(b)) is not None]
    return any(t.restart is not None and t.restart <= now and (t.normal is None or now < t.normal) for t in tracks)


async def _judge(tx: Connection, plan: Plan, state: StageState, *, now: datetime) -> Opening | None:
    stage = state.stage
    if state.state != OPENED or state.since is None or stage.error_rate is None:
        return None
    errors = await errors_of(tx, plan.admdvs, stage, since=state.since, now=now)
    if errors.all_of < stage.least or errors.rate <= stage.error_rate:
        return None
    says = (f"近 {stage.minutes} 分钟 {errors.all_of} 笔中 {errors.failed} 笔未办成（{_percent(errors.rate)}），"
            f"超过 {_percent(stage.error_rate)}，自动暂停")
    return Opening(admdvs=plan.admdvs, name=plan.name, ordinal=stage.ordinal, seq=0, act=STOP_STAGE, at=now, by=WORKER,
                   reason=says, error_rate=errors.rate)


def _percent(ten_thousandths: int) -> str:
    return f"{ten_thousandths // 100}.{ten_thousandths % 100:02d}%"
