"""Assess what residents owe for a year, by category, with the state's share and subsidies."""

from __future__ import annotations

from datetime import date, datetime

from yibao.domains.contributions import members
from yibao.infra.database import Database
from yibao.kernel.business_time import business_date
from yibao.kernel.refusal import Refusal, refuse
from yibao.policy.reckoning.collection import late_pays_subsidy, may_pay_from
from yibao.usecases.contributions.assessing import Assessed, Progress, Round
from yibao.usecases.contributions.cards import RESIDENTS, Deck
from yibao.usecases.deadlines.clocks import season_now
from yibao.usecases.settlement.shelf import PolicyShelf


async def assess_residents(
    database: Database, *, admdvs: str, year: int, now: datetime, shelf: PolicyShelf, progress: Progress | None = None,
    chunk: int = 10_000,
) -> Assessed | Refusal:
    """Assess a year for every resident with an open relation; a household gets one bill, the treasury another.

    Run it when the season opens and again whenever residents joined. Who is assessed after the season also owes the
    public subsidy where the law says so (newborns do not). What the state pays for an assisted person is a due of the
    state; the person's own due is then nothing and has arrived at once. Identities are those of 1 January, or of the
    day of assessment where that is later.
    """
    policy = shelf.of(admdvs)
    if isinstance(policy, Refusal):
        return policy
    month = date(year, 1, 1)
    async with database.transaction() as tx:
        season = await season_now(tx, policy, year, admdvs=admdvs, insutype=RESIDENTS)
    if season is None:
        return refuse("NO_LAW_FOR_DAY", f"{policy.name}未载入 {year} 年度的居民集中缴费期", field="year", received=str(year),
                      remedy="请补充政策参数 resident_season")
    today = business_date(now)
    if today < season.first:
        return refuse("SEASON_NOT_OPEN", f"{year} 年度居民缴费自 {season.first} 开始", field="year", received=str(year),
                      remedy="请在集中缴费期开始后核定", basis=season.rule)
    is_late = today > season.last
    owes_subsidy = is_late and late_pays_subsidy(policy, month, insutype=RESIDENTS) is not None
    return await Round(
        database=database, admdvs=admdvs, insutype=RESIDENTS, sql=members.RESIDENTS, month=month, before=date(year + 1, 1, 1),
        due_on=date(year, 12, 31) if is_late else season.last, now=now, shelf=shelf, chunk=chunk, progress=progress,
        deck=Deck(policy, insutype=RESIDENTS, month=month), cases={},
        late_deck=Deck(policy, insutype=RESIDENTS, month=month, late=True) if owes_subsidy else None,
        pay_from=lambda day: max(season.first, may_pay_from(policy, day, insutype=RESIDENTS)),
    ).run()
