"""Credit a month to the personal accounts of a region: everybody owed is credited once, or held for a named reason."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date, datetime
from functools import lru_cache

import msgspec

from yibao.domains.closing.open_month import refuse_closed
from yibao.domains.contributions.operations import mark_credited
from yibao.domains.deadlines.model import ADVANCE, CREDITING
from yibao.domains.deadlines.queries import terms_of
from yibao.domains.personal_accounts import credits
from yibao.domains.personal_accounts.crediting import CreditFacts, obstacle
from yibao.domains.personal_accounts.credits import CreditRow
from yibao.domains.personal_accounts.reasons import NO_RULE
from yibao.infra.database import Connection, Database
from yibao.infra.failpoints import reached
from yibao.kernel.business_time import age_on, business_date
from yibao.kernel.refusal import Refusal, refuse
from yibao.ledger import operations as ledger
from yibao.policy.decide import decide
from yibao.policy.law.parameters import RegionPolicy
from yibao.policy.reckoning.cases import CreditCase
from yibao.usecases.funds.fund_map import credit_fund
from yibao.usecases.settlement.shelf import PolicyShelf

CHUNK = 20_000
"""People of one transaction; also what memory is bounded by."""
CASES_KEPT = 200_000
RETIRED = "retired"
CREDIT_KEYS = ("credit_rate", "credit_fixed")
INSUTYPE = "310"

Progress = Callable[[str], None]


class Credited(msgspec.Struct, frozen=True):
    """What a run did. ``credited`` and ``credited_fen`` are this run's; ``held`` and ``reasons`` who is held after it.

    ``dropped`` were held before and are owed nothing any more.
    """

    admdvs: str
    month: date
    run_no: int
    credited: int
    credited_fen: int
    held: int
    dropped: int
    reasons: dict[str, int]


async def credit_month(
    database: Database, *, admdvs: str, month: date, now: datetime, shelf: PolicyShelf, progress: Progress | None = None,
    chunk: int = CHUNK,
) -> Credited | Refusal:
    """Credit a month by the law of its first day; the money is posted now.

    Works in chunks of people, each one transaction: a run that was killed is taken up where it was. Another run looks
    only at who is not credited yet, so nobody is credited twice; that is how a repaired case gets its money.

    A month that has not begun is credited only where a published plan advances it before its stop; whose dues have not
    arrived by then is held and credited by another run.

    Args:
        month: first day of the month; age counts on that day.
        progress: is told after each chunk how far it is.
    """
    policy = shelf.of(admdvs)
    refusal = policy if isinstance(policy, Refusal) else _refuse_month(month, now)
    if refusal is not None and refusal.code == "MONTH_NOT_BEGUN" and await _is_advanced(database, admdvs, month, now):
        refusal = None
    if refusal is not None or isinstance(policy, Refusal):
        return refusal or policy  # type: ignore[return-value]
    run_no = await _open_run(database, admdvs=admdvs, month=month, now=now, policy_version=policy.version)
    if isinstance(run_no, Refusal):
        return run_no
    judge = _Judge(policy, admdvs=admdvs, month=month)
    after, looked = "", 0
    while True:
        async with database.transaction() as tx:
            await credits.take_month(tx, admdvs=admdvs, month=month)
            upto = await tx.fetchval(credits.NEXT, after, chunk)
            if upto is None:
                break
            looked += await _credit_chunk(tx, judge, after=after, upto=upto, run_no=run_no, now=now)
            reached("chunk_written")
        after = upto
        if progress is not None:
            progress(f"{month:%Y-%m} 已核对 {looked} 人，至 {after}")
    return await _close_run(database, admdvs=admdvs, month=month, run_no=run_no, now=now)


async def credit_arrears(
    database: Database, *, admdvs: str, before: date, now: datetime, shelf: PolicyShelf, progress: Progress | None = None,
) -> list[Credited] | Refusal:
    """Credit months before one that lag behind: people held then, and dues that arrived since (补划).

    Args:
        before: first day of a month; the months before it are looked at, the oldest first.
    """
    async with database.transaction() as tx:
        months = await credits.months_behind(tx, admdvs=admdvs, before=before)
    done = []
    for month in months:
        credited = await credit_month(database, admdvs=admdvs, month=month, now=now, shelf=shelf, progress=progress)
        if isinstance(credited, Refusal):
            return credited
        done.append(credited)
    return done


def _refuse_month(month: date, now: datetime) -> Refusal | None:
    if month.day != 1:
        return refuse("MONTH_NOT_FIRST_DAY", "月份须以当月一日表示", field="month", received=month.isoformat(),
                      remedy="例如 2024-07-01")
    if month > business_date(now):
        return refuse("MONTH_NOT_BEGUN", "不能预先划入以后月份", field="month", received=f"{month:%Y-%m}",
                      remedy="请在当月或以后办理")
    return None


async def _is_advanced(database: Database, admdvs: str, month: date, now: datetime) -> bool:
    """Say whether a published plan has a month credited before its stop."""
    async with database.transaction() as tx:
        terms = await terms_of(tx, [admdvs])
    return any(
        t.kind == ADVANCE and t.what == CREDITING and t.first_month is not None and t.until_month is not None
        and t.first_month <= month < t.until_month and (t.from_at is None or t.from_at <= now)
        and (t.until_at is None or now < t.until_at) for t in terms
    )


class _Judge:
    """Says what each person is owed by the law of the month; the law is asked once for people alike."""

    def __init__(self, policy: RegionPolicy, *, admdvs: str, month: date) -> None:
        self.policy, self.admdvs, self.month = policy, admdvs, month
        self.next_month = date(month.year + month.month // 12, month.month % 12 + 1, 1)
        self.retired = [f"{n:02d}" for n in range(100) if policy.person_class(f"{n:02d}01") == RETIRED]
        self._amount = lru_cache(CASES_KEPT)(self._ask)
        self._asks_age = lru_cache(100)(self._has_age)
        self._fund = lru_cache(100)(
            lambda psn_type, kind: credit_fund(admdvs=admdvs, psn_type=psn_type, enrolment_kind=kind)
        )

    def of(self, facts: CreditFacts) -> CreditRow:
        """Return what comes of a person's month."""
        is_retired = facts.psn_type[:2] in self.retired
        reason, amount = obstacle(facts, month=self.month, is_retired=is_retired), 0
        if not reason:
            base = None if is_retired else facts.base_fen
            age = age_on(facts.birth_on, self.month) if self._asks_age(facts.psn_type) else 0
            asked = self._amount(facts.psn_type, age, facts.account_kind, facts.enrolment_kind, base)
            reason, amount = (NO_RULE, 0) if asked is None else ("", asked)
        return CreditRow(
            facts.psn_no, "held" if reason else "credited", reason, facts.relation_id, facts.psn_type, facts.base_fen, amount,
            self._fund(facts.psn_type, facts.enrolment_kind),
        )

    def _has_age(self, psn_type: str) -> bool:
        """Say whether a credit of this class of person depends on age: then people of one base are not all alike."""
        law, person = self.policy.law_on(self.month), self.policy.person_class(psn_type)
        return law is None or any(
            row.allows("person", person) and any(condition.dimension == "age" for condition in row.conditions)
            for key in CREDIT_KEYS for row in law.reckoning.get(key, ())
        )

    def _ask(self, psn_type: str, age: int, account_kind: str, enrolment_kind: str, base: int | None) -> int | None:
        case = CreditCase(
            admdvs=self.admdvs, on=self.month, insutype=INSUTYPE, psn_type=psn_type, age=age, account_kind=account_kind,
            enrolment_kind=enrolment_kind, base=base,
        )
        answer = decide(case, self.policy, trace=False)
        return None if isinstance(answer, Refusal) else answer.amount("amount")


async def _open_run(database: Database, *, admdvs: str, month: date, now: datetime, policy_version: str) -> int | Refusal:
    """Begin a run, or go on with the one that was killed; refused where the day of posting lies in a closed month."""
    async with database.transaction() as tx:
        closed = await refuse_closed(tx, admdvs=admdvs, on=business_date(now))
        if closed is not None:
            return closed
        await credits.take_month(tx, admdvs=admdvs, month=month)
        last, is_open = await credits.last_run(tx, admdvs=admdvs, month=month)
        if is_open:
            return last
        await tx.execute(credits.BEGIN_RUN, admdvs, month, last + 1, now, policy_version)
        return last + 1


async def _credit_chunk(
    tx: Connection, judge: _Judge, *, after: str, upto: str, run_no: int, now: datetime
) -> int:
    facts: Sequence[CreditFacts] = await credits.facts_after(
        tx, admdvs=judge.admdvs, month=judge.month, next_month=judge.next_month, after=after, upto=upto, retired=judge.retired
    )
    if facts:
        rows = [judge.of(one) for one in facts]
        await tx.execute(ledger.STAGE)
        await credits.keep_credits(
            tx, rows, admdvs=judge.admdvs, month=judge.month, run_no=run_no, now=now,
            policy_version=judge.policy.version,
        )
        await ledger.move_staged(tx, posted_at=now)
        by_dues = [r.psn_no for r in rows if r.outcome == "credited" and r.psn_type[:2] not in judge.retired]
        await mark_credited(tx, by_dues, month=judge.month, now=now)
    return len(facts)


async def _close_run(database: Database, *, admdvs: str, month: date, run_no: int, now: datetime) -> Credited:
    async with database.transaction() as tx:
        await credits.take_month(tx, admdvs=admdvs, month=month)
        dropped = int((await tx.execute(credits.DROP, admdvs, month, run_no, now)).rsplit(" ", 1)[1])
        row = await tx.fetchrow(credits.END_RUN, admdvs, month, run_no, now)
        assert row is not None
    return Credited(
        admdvs, month, run_no, row["credited"], row["credited_fen"], row["held"], dropped,
        msgspec.json.decode(row["reasons"], type=dict[str, int]),
    )
