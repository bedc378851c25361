-- Base declarations, dues, bills, payments, arrivals, refunds, statements of the tax bureau, and the cases to work.
-- A due says what is owed for a person and a month (or a year); a bill what one payer owes at once; a payment is
-- keyed by the number that the tax bureau gave it. Money that fits no bill is kept as its payer's and never dropped.

create schema contributions;
grant usage on schema contributions to yibao_gateway, yibao_portal, yibao_worker, yibao_agency;

create table contributions.base (               -- what was declared; the law's band is asked for each month anew
    psn_no         text not null,
    relation_id    text not null,
    valid_from     date not null,               -- first month, until the next declaration
    admdvs         text not null,
    emp_no         text not null default '',
    wage_fen       bigint not null check (wage_fen >= 0),
    base_fen       bigint not null check (base_fen >= 0),   -- within the band of valid_from
    adjusted       text not null default '' check (adjusted in ('', 'floor', 'ceiling')),
    declared_at    timestamptz not null,
    declared_by    text not null,
    policy_version text not null,
    primary key (psn_no, relation_id, valid_from)
);

create table contributions.due (
    psn_no         text not null,
    due_id         text not null,               -- 310-202407-regular, 390-2025-regular, 410-2025-regular, ...-2
    admdvs         text not null,
    relation_id    text not null,
    insutype       text not null,               -- 310, 390; 330 large amount and 410 care where not paid with the month
    month          date not null,               -- first month paid for
    months         integer not null check (months >= 0),
    kind           text not null check (kind in ('regular', 'back', 'lump', 'correction', 'subsidy')),
    payer_kind     text not null check (payer_kind in ('unit', 'person', 'household', 'state', 'account')),
    payer_no       text not null,
    base_fen       bigint not null,
    parts          text[] not null,             -- unit.basic, person.basic, person.large_amount, state.subsidy ...
    amounts        bigint[] not null,
    funds          text[] not null,             -- the fund each part goes to
    total_fen      bigint not null,             -- without the surcharge
    surcharge_fen  bigint not null default 0,
    bill_id        text not null,
    state          text not null check (state in ('assessed', 'sent', 'paid', 'arrived', 'credited', 'cancelled', 'refunded')),
    assessed_at    timestamptz not null,
    sent_at        timestamptz,
    paid_on        date,
    paid_at        timestamptz,                 -- when we learnt it
    arrived_on     date,
    arrived_at     timestamptz,                 -- when we learnt it
    credited_at    timestamptz,
    policy_version text not null,
    primary key (psn_no, due_id),
    check (total_fen = ledger.total(amounts) and surcharge_fen >= 0),
    check (cardinality(parts) = cardinality(amounts) and cardinality(parts) = cardinality(funds)),
    check (extract(day from month) = 1),
    check (state not in ('paid', 'arrived', 'credited') or paid_on is not null),
    check (state not in ('arrived', 'credited') or arrived_on is not null)
);
-- One live basic due for a person and month, over employees and residents.
create unique index due_of_month on contributions.due (psn_no, month)
    where insutype in ('310', '390') and kind in ('regular', 'back') and state not in ('cancelled', 'refunded');
create index due_by_bill on contributions.due (bill_id);
create index due_of_accounts on contributions.due (admdvs, due_id, psn_no)
    where payer_kind = 'account' and state in ('assessed', 'sent');
create index due_unpaid on contributions.due (payer_no, month) where state in ('assessed', 'sent');

create table contributions.bill (
    bill_id        text primary key,            -- B370300-202407-<payer>-1
    admdvs         text not null,
    payer_kind     text not null check (payer_kind in ('unit', 'person', 'household', 'state')),
    payer_no       text not null,
    payer_name     text not null default '',
    kind           text not null check (kind in ('regular', 'back', 'lump', 'surcharge', 'subsidy')),
    month          date not null,               -- the (first) month it is about
    ordinal        integer not null,
    count          bigint not null,
    amount_fen     bigint not null check (amount_fen >= 0),
    state          text not null check (state in ('open', 'sent', 'paid', 'arrived', 'cancelled')),
    due_on         date not null,               -- last day without surcharge
    pay_from       date not null,
    pay_until      date,                        -- an amount with surcharge holds until this day only
    channels       text[] not null default '{}',
    digest         text not null default '',
    made_at        timestamptz not null,
    sent_at        timestamptz,
    paid_on        date,
    paid_at        timestamptz,
    arrived_on     date,
    closed_at      timestamptz
);
create index bill_by_payer on contributions.bill (payer_no, month);
create index bill_by_state on contributions.bill (admdvs, state);

create table contributions.payment (            -- keyed by the outside payment id
    payment_id     text primary key,
    admdvs         text not null,
    bill_id        text not null,               -- as named by the payer, known or not
    payer_no       text not null,
    amount_fen     bigint not null check (amount_fen > 0),
    channel        text not null,
    paid_at        timestamptz not null,        -- as the tax bureau says
    paid_on        date not null,
    recorded_at    timestamptz not null,
    state          text not null check (state in ('received', 'arrived', 'returned')),
    allocated_fen  bigint not null default 0,   -- to bills
    refunded_fen   bigint not null default 0,   -- given back or promised to be
    arrival_id     text,
    arrived_on     date,
    arrived_at     timestamptz,
    origin         text not null default 'tax', -- tax, bank, treasury
    is_held        boolean not null default false,  -- not for the bill it names before somebody has looked
    check (allocated_fen >= 0 and refunded_fen >= 0 and allocated_fen + refunded_fen <= amount_fen)
);
create index payment_by_payer on contributions.payment (payer_no);
create index payment_by_bill on contributions.payment (bill_id);
create index payment_by_day on contributions.payment (admdvs, paid_on);
create table contributions.allocation (         -- what of a payment pays which bill
    payment_id     text not null,
    bill_id        text not null,
    admdvs         text not null,
    amount_fen     bigint not null check (amount_fen >= 0),     -- 0: let go of again
    made_at        timestamptz not null,
    primary key (payment_id, bill_id)
);
create index allocation_by_bill on contributions.allocation (bill_id);

create table contributions.arrival (            -- what the tax bureau says it has sent to the bank
    arrival_id     text primary key,
    admdvs         text not null,
    arrived_on     date not null,
    amount_fen     bigint not null,
    payment_ids    text[] not null,
    booked_fen     bigint not null default 0,
    state          text not null check (state in ('waiting', 'booked')),   -- waiting: for payments not told yet
    recorded_at    timestamptz not null
);
create index arrival_waiting on contributions.arrival (admdvs) where state = 'waiting';

create table contributions.refund (
    refund_id      text primary key,
    admdvs         text not null,
    payment_id     text not null,
    payer_no       text not null,
    amount_fen     bigint not null check (amount_fen > 0),
    due_keys       text[] not null default '{}',-- psn_no/due_id of the dues it undoes
    reason         text not null check (reason <> ''),
    state          text not null check (state in ('requested', 'approved', 'done', 'rejected')),
    made_by        text not null,
    made_at        timestamptz not null,
    checked_by     text,
    checked_at     timestamptz,
    done_on        date,
    check (checked_by is null or checked_by <> made_by),                    -- four eyes
    check (state not in ('approved', 'done') or checked_by is not null)
);
create index refund_by_payment on contributions.refund (payment_id);

create table contributions.statement (          -- the tax bureau's day
    day            date not null,
    admdvs         text not null,
    count          bigint not null,
    amount_fen     bigint not null,
    digest         text not null,
    our_count      bigint not null,
    our_amount_fen bigint not null,
    our_digest     text not null,
    differences    bigint not null,
    received_at    timestamptz not null,
    primary key (day, admdvs)
);

create table contributions.work_case (          -- somebody has to look
    case_id        text primary key,            -- natural: what happened to what
    admdvs         text not null,
    kind           text not null,
    payment_id     text not null default '',
    bill_id        text not null default '',
    payer_no       text not null default '',
    psn_no         text not null default '',
    amount_fen     bigint not null default 0,
    says           text not null,
    state          text not null check (state in ('open', 'closed')),
    opened_at      timestamptz not null,
    closed_at      timestamptz,
    closed_by      text not null default '',
    outcome        text not null default '',
    check ((state = 'closed') = (closed_at is not null))
);
create index work_case_open on contributions.work_case (admdvs, kind) where state = 'open';
create index work_case_by_payment on contributions.work_case (payment_id) where state = 'open';
create index work_case_by_bill on contributions.work_case (bill_id) where state = 'open';

create table contributions.run (                -- a month or a year of one insurance, assessed
    admdvs         text not null,
    insutype       text not null,
    month          date not null,
    state          text not null check (state in ('begun', 'done')),
    dues           bigint not null default 0,
    total_fen      bigint not null default 0,
    begun_at       timestamptz not null,
    done_at        timestamptz,
    policy_version text not null,
    primary key (admdvs, insutype, month)
);

grant select, insert, update on all tables in schema contributions to yibao_agency;
grant select on all tables in schema contributions to yibao_portal;
grant select on contributions.due to yibao_gateway;
