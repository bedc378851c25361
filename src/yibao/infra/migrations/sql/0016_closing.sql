-- Months closed, what each fund took in and spent in them, and the vouchers made of it. All of a month is written at once
-- when it is closed, under a revision; a month that is opened again keeps what it said before and is written anew.

create schema closing;
grant usage on schema closing to yibao_gateway, yibao_portal, yibao_worker, yibao_agency;

create table closing.month (
    admdvs       text not null,
    month        date not null check (extract(day from month) = 1),
    state        text not null check (state in ('closed', 'reopening', 'open')),   -- reopening: still closed
    revision     integer not null check (revision > 0),
    postings     bigint not null,               -- postings of the month when it was closed
    digest       bytea not null,                -- SM3 over its sums, balances and vouchers
    closed_by    text not null check (closed_by <> ''),
    closed_at    timestamptz not null,
    asked_by     text,                          -- who asked to open it again ...
    asked_at     timestamptz,
    reason       text not null default '',
    opened_by    text,                          -- ... and who agreed
    opened_at    timestamptz,
    primary key (admdvs, month),
    check ((state = 'closed') = (asked_by is null)),
    check (asked_by is null or reason <> ''),
    check ((state = 'open') = (opened_by is not null)),
    check (opened_by is null or opened_by <> asked_by)                             -- four eyes
);
create table closing.event (                    -- what was done with a month; rows are only added
    admdvs       text not null,
    month        date not null,
    event_id     text not null,
    verb         text not null check (verb in ('closed', 'asked', 'declined', 'opened')),
    revision     integer not null,
    by           text not null,
    at           timestamptz not null,
    reason       text not null default '',
    checklist    text not null default '[]',    -- JSON: how the checklist stood at the close
    digest       bytea,
    primary key (admdvs, month, event_id)
);
create table closing.flow (                     -- what a fund took in (+) or gave (-), by kind of posting
    admdvs       text not null,
    month        date not null,
    revision     integer not null,
    fund         text not null,
    kind         text not null,
    line         text not null,                 -- line of the report, data/funds/flows.toml
    amount_fen   bigint not null,
    postings     bigint not null,
    primary key (admdvs, month, revision, fund, kind, line)
);
create table closing.balance (
    admdvs       text not null,
    month        date not null,
    revision     integer not null,
    fund         text not null,
    opening_fen  bigint not null,
    income_fen   bigint not null,
    spending_fen bigint not null,
    carried_fen  bigint not null,
    primary key (admdvs, month, revision, fund),
    check (carried_fen = opening_fen + income_fen - spending_fen)
);
create table closing.voucher (
    admdvs       text not null,
    month        date not null,
    revision     integer not null,
    book         text not null,                 -- books are kept by insurance
    number       integer not null check (number > 0),   -- 1, 2, 3 ... in the book's month
    kind         text not null,                 -- kind of postings behind it; carry: the month's end
    summary      text not null,
    postings     bigint not null,
    debit_fen    bigint not null,
    credit_fen   bigint not null,
    primary key (admdvs, month, revision, book, number),
    check (debit_fen = credit_fen)
);
create table closing.voucher_line (
    admdvs       text not null,
    month        date not null,
    revision     integer not null,
    book         text not null,
    number       integer not null,
    ordinal      integer not null,
    subject      text not null,                 -- data/funds/subjects.csv
    detail       text not null default '',      -- fund of an income or spending, counterpart of a debt
    debit_fen    bigint not null check (debit_fen >= 0),
    credit_fen   bigint not null check (credit_fen >= 0),
    primary key (admdvs, month, revision, book, number, ordinal),
    check ((debit_fen = 0) <> (credit_fen = 0))
);

-- The ledger is read by time at the month's end only; this index costs its writers next to nothing.
create index posting_by_time on ledger.posting using brin (posted_at) with (pages_per_range = 32, autosummarize = on);

grant select, insert on closing.month, closing.event, closing.flow, closing.balance, closing.voucher, closing.voucher_line
    to yibao_agency;
grant update on closing.month to yibao_agency;
grant select on closing.month, closing.flow, closing.balance to yibao_portal;
grant select on closing.month to yibao_gateway, yibao_worker;
