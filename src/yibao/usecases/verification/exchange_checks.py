"""What must hold of the exchange with the parties, of payouts to people and of cards."""

from __future__ import annotations

from yibao.usecases.verification.check import Check

EXCHANGE_CHECKS = (
    Check("I3", "发给外部单位的报文编号连续，已送达的都在确认范围内", """
        select n.party || '：应有' || n.last_put || '，实有' || count(o.no)
        from exchange.numbering n left join exchange.outbox o on o.party = n.party
        group by n.party, n.last_put having count(o.no) <> n.last_put or max(o.no) <> n.last_put
        union all
        select o.party || '/' || o.no from exchange.outbox o left join exchange.channel c on c.party = o.party
        where (o.sent_at is not null) <> (o.no <= coalesce(c.acked, 0))
        union all
        select party || '：已确认' || acked || '，只发出' || last_put from exchange.channel join exchange.numbering using (party)
        where acked > last_put"""),
    Check("I6", "未能办理的外部报文都有差异可查", """
        select i.party || '/' || i.message_id from exchange.inbox i where i.outcome = 'case' and not exists (
            select from exchange.case c where c.party = i.party and c.message_id = i.message_id)"""),
    Check("I2", "每笔已支付的支付单恰有一笔付款分录，金额相同；没有多余的付款分录", """
        select p.payout_id from exchange.payout p
        left join ledger.posting b on b.psn_no = p.psn_no and b.posting_id = p.payout_id || '-paid' and b.kind = 'payment'
        where (p.state = 'paid') <> (b.posting_id is not null)
           or (p.state = 'paid' and (b.accounts, b.amounts) is distinct from
               (array['payout:' || p.admdvs, 'bank:' || p.admdvs], array[-p.amount_fen, p.amount_fen]))"""),
    Check("I2", "各统筹区应付个人余额等于未支付的支付单与未完成的税务退费之和", """
        with owed as (
            select substr(leg.account, 8) as admdvs, sum(leg.amount) as fen
            from ledger.posting p, unnest(p.accounts, p.amounts) leg(account, amount)
            where leg.account like 'payout:%' group by 1),
        waiting as (
            select admdvs, sum(fen) as fen from (
                select admdvs, amount_fen as fen from exchange.payout where state <> 'paid'
                union all
                select admdvs, amount_fen from contributions.refund where state = 'approved') x group by 1)
        select coalesce(o.admdvs, w.admdvs) || '：账上' || coalesce(o.fen, 0) || '，待付' || coalesce(w.fen, 0)
        from owed o full join waiting w using (admdvs) where coalesce(o.fen, 0) <> coalesce(w.fen, 0)"""),
    Check("I2", "支付文件的笔数、金额等于其各行之和，各行与支付单一致", """
        select f.file_id from exchange.payout_file f
        where (f.count, f.amount_fen) <> (select count(*), coalesce(sum(l.amount_fen), 0)::bigint
                                          from exchange.payout_line l where l.file_id = f.file_id)
        union all
        select l.line_id from exchange.payout_line l join exchange.payout p on p.payout_id = l.payout_id
        where l.amount_fen <> p.amount_fen
        union all
        select p.payout_id from exchange.payout p where p.file_id is not null and not exists (
            select from exchange.payout_line l where l.file_id = p.file_id and l.line_id = p.payout_id || '-' || p.attempt)"""),
    Check("I7", "每个送出的支付文件都由两人办理并有审计记录", """
        select f.file_id from exchange.payout_file f where f.state in ('sent', 'answered') and (f.checked_by is null
            or f.checked_by = f.made_by or not exists (
                select from platform.audit_entry e where e.object = f.file_id and e.verb = 'check_payout_file'))"""),
    Check("I4", "参保人名下的卡与卡的记录一致", """
        select p.psn_no from people.person p join people.card c on c.psn_no = p.psn_no and c.card_no = p.card_no
        where p.card_state <> c.state"""),
)
