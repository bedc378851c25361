"""Rewrite a person's year: refunds for what was settled, then the settlements that replace it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

import asyncpg
import msgspec

from yibao.domains.settlements.model import Settlement
from yibao.domains.settlements.rules import mirrored
from yibao.infra.database import Connection
from yibao.infra.digest import sm3
from yibao.infra.messages import MessageKey
from yibao.kernel.clock import Clock
from yibao.kernel.ids import Ids
from yibao.ledger.posting import Posting, mirror, settlement_posting
from yibao.policy.decision import Decision
from yibao.usecases.resettlement.decide_again import DecidedAgain, kept
from yibao.usecases.settlement.way import WRITE_STAY
from yibao.usecases.settlement.write_settlement import Booking, write

PLATFORM = "YIBAO"
"""Sender of the messages that the platform itself makes."""
RESETTLE = "RESETTLE"
"""Stands as the number of the transaction with them, and before their message ids."""

LAST_SETTLED_AT = "select max(settled_at) from settlements.settlement where psn_no = $1"
COVERS = "select * from settlements.stay_settlement where psn_no = $1 and setl_id = any($2::text[])"
POSTINGS = "select * from ledger.posting where psn_no = $1 and posting_id = any($2::text[])"
NOTED = "select setl_id from episodes.episode where psn_no = $1 and setl_id = any($2::text[])"
FOLLOW = "select episodes.resettle($1, $2, $3, $4, $5, $6)"
_FACTS = msgspec.json.Encoder()


class Books(msgspec.Struct):
    """A person's books while they are rewritten: counters by (insurance, code) and the balance, fen."""

    used: dict[tuple[str, str], int]
    caps: dict[tuple[str, str], int | None]
    balance: int


class YearWriter:
    """Writes refunds and new settlements of one person, who is locked, each a step later than the one before."""

    def __init__(
        self, tx: Connection, *, psn_no: str, operator: str, books: Books, clock: Clock, ids: Ids, at: datetime
    ) -> None:
        self._tx, self._psn_no, self._operator, self._books = tx, psn_no, operator, books
        self._clock, self._ids, self._at = clock, ids, at
        self._covers: dict[str, asyncpg.Record] = {}

    @classmethod
    async def open(
        cls, tx: Connection, *, psn_no: str, operator: str, books: Books, clock: Clock, ids: Ids
    ) -> YearWriter:
        """Begin after the newest settlement: the order of times is the order in which the year was counted."""
        newest = await tx.fetchval(LAST_SETTLED_AT, psn_no)
        return cls(tx, psn_no=psn_no, operator=operator, books=books, clock=clock, ids=ids, at=max(clock.now(), newest))

    async def rewrite(self, again: Sequence[DecidedAgain]) -> tuple[dict[str, str], dict[str, str]]:
        """Cancel all, the one counted last first, and settle them again in the order given; return the new ids."""
        olds = [one.settlement.setl_id for one in again]
        self._covers = {row["setl_id"]: row for row in await self._tx.fetch(COVERS, self._psn_no, olds)}
        postings = {row["posting_id"]: row for row in await self._tx.fetch(POSTINGS, self._psn_no, olds)}
        refunds = {}
        for one in sorted(again, key=lambda o: (o.settlement.settled_at, o.settlement.setl_id), reverse=True):
            origin = one.settlement
            refunds[origin.setl_id] = await self._cancel(origin, postings[origin.setl_id])
        noted = {row["setl_id"] for row in await self._tx.fetch(NOTED, self._psn_no, olds)}
        replacements = {}
        for one in again:
            old = one.settlement.setl_id
            replacements[old] = await self._settle(one, refund_id=refunds[old])
            if old in noted:
                await self._follow(one, replacements[old])
        return refunds, replacements

    async def _follow(self, one: DecidedAgain, setl_id: str) -> None:
        """Let the cash of a case that a window held up follow its settlement."""
        assert isinstance(one.decision, Decision)
        await self._tx.execute(
            FOLLOW, self._psn_no, one.settlement.setl_id, setl_id, one.decision.cash, self._at, self._operator
        )

    async def _cancel(self, origin: Settlement, posting: asyncpg.Record) -> str:
        at, setl_id = self._next()
        key = self._key(origin, setl_id, {"deed": "cancel", "setl_id": origin.setl_id})
        self._books.balance += origin.account_fen
        after = self._count(origin.insutype, dict(zip(origin.counter_codes, (-d for d in origin.counter_deltas), strict=True)))
        booking = Booking(
            settlement=mirrored(
                origin, setl_id=setl_id, kind="refund", state="active", settled_at=at, balance_fen=self._books.balance,
                sender=key.sender, msgid=key.msgid, opter=self._operator, opter_name=self._operator,
            ),
            posting=mirror(Posting(*tuple(posting)), posting_id=setl_id, posted_at=at, kind="refund"),
            counter_used=after, counter_caps=[self._books.caps.get((origin.insutype, c)) for c in origin.counter_codes],
            verb="resettle_cancel", origin_state="reversed",
        )
        await self._write(booking, key)
        return setl_id

    async def _settle(self, one: DecidedAgain, *, refund_id: str) -> str:
        at, setl_id = self._next()
        key = self._key(
            one.settlement, setl_id, {"deed": "settle", "setl_id": one.settlement.setl_id, "refund_id": refund_id}
        )
        assert isinstance(one.decision, Decision)
        counters = (*one.decision.counters, *one.decision.exhausted)
        self._books.balance -= one.decision.account_pay
        settlement = _replacement(
            one, setl_id=setl_id, settled_at=at, balance_fen=self._books.balance, key=key, operator=self._operator
        )
        codes = settlement.counter_codes
        used = self._count(settlement.insutype, {code: c.delta for code, c in zip(codes, counters, strict=True)})
        self._books.caps.update({(settlement.insutype, code): c.cap for code, c in zip(codes, counters, strict=True)})
        s = settlement
        booking = Booking(
            settlement=s,
            posting=settlement_posting(
                psn_no=s.psn_no, setl_id=s.setl_id, admdvs=s.admdvs, fixmedins_code=s.fixmedins_code,
                posted_at=s.settled_at, funds=zip(s.fund_types, s.fund_amounts, strict=True),
                account_fen=s.account_fen, cash_fen=s.cash_fen,
            ),
            counter_used=used, counter_caps=[c.cap for c in counters], verb="resettle_visit",
        )
        cover = self._covers.get(one.settlement.setl_id)
        if cover is not None:
            # A stay: the new settlement covers what the old one covered, under the number that it was decided with.
            covers = {**cover, "setl_id": setl_id, "admission": one.case.admission}
            booking = msgspec.structs.replace(booking, statement=WRITE_STAY, beside=(tuple(covers.values()),))
        await self._write(booking, key)
        return setl_id

    def _next(self) -> tuple[datetime, str]:
        self._at += timedelta(microseconds=1)
        return self._at, self._ids.new(self._at)

    def _count(self, insutype: str, deltas: Mapping[str, int]) -> list[int]:
        totals = []
        for code, delta in deltas.items():
            key = (insutype, code)
            self._books.used[key] = self._books.used.get(key, 0) + delta
            totals.append(self._books.used[key])
        return totals

    def _key(self, origin: Settlement, setl_id: str, content: Mapping[str, str]) -> MessageKey:
        request = msgspec.json.encode({**content, "operator": self._operator})
        return MessageKey(
            sender=PLATFORM, msgid=f"{RESETTLE}-{setl_id}", infno=RESETTLE, admdvs=origin.admdvs, digest=sm3(request),
            request=request, received_at=self._at,
        )

    async def _write(self, booking: Booking, key: MessageKey) -> None:
        s = booking.settlement
        reply = msgspec.json.encode({
            "setl_id": s.setl_id, "kind": s.kind, "medfee_fen": s.medfee_fen, "fund_fen": s.fund_fen,
            "account_fen": s.account_fen, "cash_fen": s.cash_fen, "policy_version": s.policy_version,
        })
        await write(self._tx, booking, key=key, reply=reply, clock=self._clock)


def _replacement(
    one: DecidedAgain, *, setl_id: str, settled_at: datetime, balance_fen: int, key: MessageKey, operator: str
) -> Settlement:
    """Return the new settlement: visit, batch, institution, invoice and use of the account are the old one's."""
    d = one.decision
    assert isinstance(d, Decision)
    counters = (*d.counters, *d.exhausted)
    funds = [f for f in d.funds if f.amount]
    return msgspec.structs.replace(
        one.settlement, setl_id=setl_id, benefit=d.benefit, year=d.year, settled_at=settled_at, state="active",
        medfee_fen=d.amount, own_fen=d.own, over_fen=d.over, first_fen=d.first_pay, scope_fen=d.in_scope,
        deductible_fen=d.deductible, hifp_fen=d.fund("hifp_pay"), cvlserv_fen=d.fund("cvlserv_pay"),
        hifes_fen=d.fund("hifes_pay"), hifmi_fen=d.fund("hifmi_pay"), hifob_fen=d.fund("hifob_pay"),
        maf_fen=d.fund("maf_pay"), oth_fen=d.fund("oth_pay"), fund_fen=d.fund_total, person_fen=d.person_part,
        account_fen=d.account_pay, shared_fen=d.shared_pay, cash_fen=d.cash, hospital_fen=d.hospital_part,
        balance_fen=balance_fen, pool_ratio=d.pool_ratio, fund_types=[f.fund_pay_type for f in funds],
        fund_amounts=[f.amount for f in funds], counter_codes=[kept(one.settlement, c.code) for c in counters],
        counter_deltas=[c.delta for c in counters], facts=_FACTS.encode(one.case), policy_version=d.policy_version,
        clr_type=d.clr_type, sender=key.sender, msgid=key.msgid, opter=operator, opter_name=operator,
    )
