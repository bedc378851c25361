"""After care: hold settled bills against the rules and send each institution what its settlements are suspected of.

A settlement is judged once by one version of the rules; asking again finds only what is new. What was deducted from a
settlement that has since been reversed is given back.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta

import asyncpg
import msgspec

from yibao.domains.people.queries import find_person
from yibao.domains.supervision import operations, queries
from yibao.domains.supervision.model import (
    AFTER,
    AGENCY,
    FOUND,
    VOID,
    Analysis,
    Document,
    Step,
    Suspicion,
)
from yibao.infra import audit
from yibao.infra.database import Connection, Database
from yibao.infra.digest import sm3
from yibao.kernel.business_time import business_date
from yibao.kernel.ids import Ids
from yibao.kernel.money import div_half_up
from yibao.kernel.refusal import Refusal
from yibao.policy.review.facts import Broken, Hit, Question
from yibao.policy.review.judge import review
from yibao.usecases.supervision.analyse_orders import notes_text
from yibao.usecases.supervision.gather_question import (
    Line,
    list_lines,
    list_settled_lines,
    look_back,
    patient_of,
    visit_of,
)
from yibao.usecases.supervision.give_back import give_back
from yibao.usecases.supervision.rulebook import region_row, rule_book

# Settlements in force of a period that these rules have not judged yet, and those that came back to force.
DUE = """
select s.* from settlements.settlement s
where s.admdvs = $1 and s.kind = 'settlement' and s.state = 'active' and not claims.is_desk(s.fixmedins_code)
  and s.settled_at >= ($2::date)::timestamp at time zone 'Asia/Shanghai'
  and s.settled_at < ($3::date + 1)::timestamp at time zone 'Asia/Shanghai'
  and (not exists (select from supervision.analysis a
                   where a.psn_no = s.psn_no and a.setl_id = s.setl_id and a.rules_version = $4)
       or exists (select from supervision.suspicion v
                  where v.psn_no = s.psn_no and v.setl_id = s.setl_id and v.state = 'void'))
order by s.settled_at, s.setl_id
"""
LOCK = "select state from settlements.settlement where psn_no = $1 and setl_id = $2 for update"
KNOWN = "select * from supervision.suspicion where psn_no = $1 and setl_id = $2 for update"
REVERSED = """
select v.suspicion_id from supervision.suspicion v
join settlements.settlement s on s.psn_no = v.psn_no and s.setl_id = v.setl_id
where v.admdvs = $1 and s.state <> 'active' and v.state <> 'void' and (v.state <> 'dropped' or v.deducted_fen > 0)
order by v.suspicion_id
"""


class Reviewed(msgspec.Struct):
    """What a run found: settlements judged, documents sent, suspicions and their money in fen; what was voided."""

    judged: int = 0
    documents: int = 0
    suspicions: int = 0
    amount_fen: int = 0
    fund_fen: int = 0
    voided: int = 0
    returned_fen: int = 0


async def review_settlements(
    database: Database, *, admdvs: str, first: date, last: date, operator: str, now: datetime, ids: Ids
) -> Reviewed | Refusal:
    """Judge a region's settlements booked from ``first`` to ``last``; each one is a transaction of its own."""
    region = region_row(admdvs, business_date(now))
    if isinstance(region, Refusal):
        return region
    done = Reviewed()
    async with database.connection() as tx:
        due = await tx.fetch(DUE, admdvs, first, last, rule_book().version)
        reversed_ids = [row["suspicion_id"] for row in await tx.fetch(REVERSED, admdvs)]
    for suspicion_id in reversed_ids:
        async with database.transaction() as tx:
            returned = await give_back(tx, suspicion_id=suspicion_id, operator=operator, now=now, ids=ids)
        if returned is not None:
            done.voided += 1
            done.returned_fen += returned
    until = business_date(now) + timedelta(days=region.appeal_days)
    for settlement in due:
        async with database.transaction() as tx:
            await _review_one(
                tx, settlement, until=until, share=region.same_incision_share, operator=operator, now=now, ids=ids,
                done=done,
            )
    return done


async def _review_one(
    tx: Connection, settlement: asyncpg.Record, *, until: date, share: int, operator: str, now: datetime, ids: Ids,
    done: Reviewed,
) -> None:
    psn_no, setl_id = settlement["psn_no"], settlement["setl_id"]
    if await tx.fetchval(LOCK, psn_no, setl_id) != "active":
        return
    known = {row["rule_id"]: Suspicion(*row) for row in await tx.fetch(KNOWN, psn_no, setl_id)}
    for suspicion in known.values():
        if suspicion.state == VOID:
            await operations.reopen_document(
                tx, psn_no=psn_no, document_id=suspicion.document_id, appeal_until=until
            )
            await operations.answer_suspicion(tx, suspicion, state=FOUND, appeal_fen=None, step=Step(
                "reopened", now, operator, AGENCY, says="结算恢复有效"
            ))
    question, mine = await _question(tx, settlement, share=share)
    hits = [h for h in review(question, rule_book()) if h.rule_id not in known] if question.bill else []
    analysis = Analysis(
        psn_no=psn_no, analysis_id=ids.new(now), admdvs=settlement["admdvs"],
        fixmedins_code=settlement["fixmedins_code"], stage=AFTER, mdtrt_id=settlement["mdtrt_id"], setl_id=setl_id,
        rules_version=rule_book().version, charges=len(question.bill), at=now, opter=operator,
    )
    if not await operations.add_analysis(tx, analysis):
        return
    done.judged += 1
    if hits:
        earlier = sum(s.fund_fen for s in known.values())
        await _send(tx, settlement, analysis, hits, mine, earlier_fen=earlier, until=until, ids=ids, done=done)
    await audit.write(
        tx, entry_id=ids.new(now), at=now, actor=operator, sender="yibao", channel="cli", verb="review_settlement",
        object_id=setl_id, admdvs=settlement["admdvs"], rule=rule_book().version[:12],
        digest=sm3("".join(h.rule_id for h in hits).encode()),
    )


async def _question(tx: Connection, settlement: asyncpg.Record, *, share: int) -> tuple[Question, dict[str, Line]]:
    """Return the settlement's bill beside everything that was settled before it, and its lines by their serial."""
    book = rule_book()
    psn_no, mdtrt_id = settlement["psn_no"], settlement["mdtrt_id"]
    person = await find_person(tx, psn_no)
    assert person is not None, "a settlement has a person"
    visit = await visit_of(
        tx, psn_no=psn_no, mdtrt_id=mdtrt_id, fixmedins_code=settlement["fixmedins_code"],
        med_type=settlement["med_type"], on=settlement["service_on"], book=book,
    )
    mine = await list_settled_lines(tx, settlement)
    if not mine:
        return Question(patient_of(person), visit, ()), {}
    begin, end = look_back(book, [line.charge for line in mine])
    settled = (settlement["settled_at"], settlement["setl_id"])
    history = [
        line.charge for line in await list_lines(tx, psn_no=psn_no, begin=begin, end=end)
        if line.was_settled_before(*settled)
    ]
    bill = tuple(line.charge for line in mine)
    return Question(patient_of(person), visit, bill, tuple(history), share), {c.charge_id: line for c, line in zip(
        bill, mine, strict=True)}


async def _send(
    tx: Connection, settlement: asyncpg.Record, analysis: Analysis, hits: Sequence[Hit], lines: Mapping[str, Line], *,
    earlier_fen: int, until: date, ids: Ids, done: Reviewed,
) -> None:
    """Write a document with a suspicion for each hit; what the funds bore is counted once for each line."""
    document = Document(
        psn_no=analysis.psn_no, document_id=ids.new(analysis.at), admdvs=analysis.admdvs,
        care_admdvs=settlement["care_admdvs"], fixmedins_code=analysis.fixmedins_code, setl_id=settlement["setl_id"],
        mdtrt_id=analysis.mdtrt_id, analysis_id=analysis.analysis_id, found_at=analysis.at, appeal_until=until,
    )
    overrides = await queries.list_overrides(tx, psn_no=analysis.psn_no, mdtrt_id=analysis.mdtrt_id)
    purse = Purse(settlement["fund_fen"] - earlier_fen, settlement["fund_fen"], settlement["scope_fen"], lines)
    suspicions = []
    for hit in hits:
        amount, fund = purse.take(hit.broken)
        suspicions.append(Suspicion(
            psn_no=analysis.psn_no, suspicion_id=ids.new(analysis.at), admdvs=analysis.admdvs,
            document_id=document.document_id, fixmedins_code=analysis.fixmedins_code, setl_id=settlement["setl_id"],
            mdtrt_id=analysis.mdtrt_id, rule_id=hit.rule_id, severity=hit.severity, reason=hit.reason,
            basis=hit.basis, override=overrides.get(hit.rule_id, ""), amount_fen=amount, fund_fen=fund,
            lines=notes_text(hit), state=FOUND,
        ))
    await operations.add_document(tx, document, suspicions)
    done.documents += 1
    done.suspicions += len(suspicions)
    done.amount_fen += sum(s.amount_fen for s in suspicions)
    done.fund_fen += sum(s.fund_fen for s in suspicions)


class Purse:
    """Shares out what the funds bore of a settlement: each line's money is held against it once.

    The funds pay for what is in scope, so of an amount charged against a rule they bore its in-scope part times
    their share of everything in scope (half up), never more than is left of what they paid.
    """

    def __init__(self, left_fen: int, fund_fen: int, scope_fen: int, lines: Mapping[str, Line]) -> None:
        self._left = left_fen
        self._fund, self._scope = fund_fen, scope_fen
        self._lines = lines
        self._of_line = {name: line.charge.amount_fen for name, line in lines.items()}

    def take(self, broken: Sequence[Broken]) -> tuple[int, int]:
        """Return what is charged against a rule and what the funds bore of it, in fen."""
        amount = scope = 0
        for one in broken:
            name = one.charge.charge_id
            line = self._lines[name]
            taken = min(one.amount_fen or 0, self._of_line[name])
            self._of_line[name] -= taken
            amount += taken
            if line.charge.amount_fen:
                scope += div_half_up(taken * line.scope_fen, line.charge.amount_fen)
        fund = min(amount, self._left, div_half_up(scope * self._fund, self._scope) if self._scope else 0)
        self._left -= fund
        return amount, fund
