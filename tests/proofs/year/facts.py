"""What is true of the region at the end, without ids and instants: two runs of one seed must say the same."""

from __future__ import annotations

import hashlib

from yibao.infra.database import Database

FACTS = {
    "persons": """
        select p.certno, p.name, p.sex, p.birth_on::text, p.died_on::text from people.person p order by 1""",
    "relations": """
        select p.certno, r.insutype, r.psn_type, r.status, r.enrolment_kind, r.insured_on::text, r.paused_on::text,
               r.account_kind, e.uscc
        from enrolment.relation r join people.person p using (psn_no) left join enrolment.employer e on e.emp_no = r.emp_no
        order by 1, 2, 6, 3, 7""",
    "dues": """
        select p.certno, d.insutype, d.month::text, d.months, d.kind, d.payer_kind, d.base_fen, d.parts::text,
               d.amounts::text, d.surcharge_fen, d.state
        from contributions.due d join people.person p using (psn_no) order by 1, 2, 3, 5, 8""",
    "payments": """
        select amount_fen, channel, state, allocated_fen, refunded_fen from contributions.payment order by 1, 2, 3, 4, 5""",
    "credits": """
        select p.certno, c.month::text, c.outcome, c.amount_fen
        from personal_accounts.credit c join people.person p using (psn_no) order by 1, 2, 3, 4""",
    "spells": """
        select p.certno, s.insutype, s.begin_on::text, s.end_on::text, s.is_due, s.reason, s.psn_type, s.paid_months
        from entitlement.spell s join people.person p using (psn_no) where s.known_to is null order by 1, 2, 3""",
    "settlements": """
        select p.certno, s.service_on::text, s.medfee_fen, s.fund_fen, s.account_fen, s.cash_fen, s.fund_types::text,
               s.fund_amounts::text
        from settlements.settlement s join people.person p using (psn_no) order by 1, 2, 3, 4, 5""",
    "transfers": "select admdvs, direction, state, account_fen from transfers.transfer order by 1, 2, 3, 4",
    "payouts": "select purpose, amount_fen, state from exchange.payout order by 1, 2, 3",
    "balances": "select p.certno, a.balance_fen from ledger.personal_account a join people.person p using (psn_no) order by 1",
    "reports": """
        select f.month::text, f.fund, f.kind, f.line, f.amount_fen from closing.flow f
        join closing.month m on m.admdvs = f.admdvs and m.month = f.month and m.revision = f.revision order by 1, 2, 3, 4""",
}


async def digests(database: Database) -> dict[str, str]:
    """Return a digest of each kind of business facts."""
    found = {}
    for name, sql in FACTS.items():
        # In an order of their own: a newborn has no certificate yet, so what the statement orders by may be equal.
        rows = sorted("|".join(str(v) for v in row.values()) for row in await database.fetch(sql))
        text = "\n".join(rows)
        found[name] = f"{len(rows)}:{hashlib.sha256(text.encode()).hexdigest()[:16]}"
    return found
