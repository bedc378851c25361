-- Files, reconciliation, claims, deductions and payments. Nothing here knows a benefit: it copies what was settled,
-- and what an agency decided about it. Money moves in the ledger only: at approval (deductions, year end) and when the
-- bank has paid.

create schema clearing;
grant usage on schema clearing to yibao_gateway, yibao_portal, yibao_worker;

-- What institutions upload (9101) and what is made for them (3202); given back by 9102 until kept_until.
create table clearing.file (
    file_no        text primary key,            -- U... uploaded, R... result
    admdvs         text not null,
    fixmedins_code text not null,
    kind           text not null check (kind in ('upload', 'result')),
    name           text not null,
    content        bytea not null,
    digest         bytea not null,              -- SM3 of the content
    made_at        timestamptz not null,
    kept_until     timestamptz not null
);
create index file_by_institution on clearing.file (fixmedins_code, kept_until);

-- One request for money: an institution's month (3203), or what the year's clearing by group leaves to pay.
create table clearing.claim (
    claim_id       text primary key,
    admdvs         text not null,               -- region whose agency pays
    fixmedins_code text not null,
    kind           text not null check (kind in ('monthly', 'year_end')),
    clr_type       text not null,
    clr_way        text not null default '',    -- '': whatever way
    period         text not null,               -- clearing period by the law: 2026-02, 2026Q1; the year at year end
    begin_on       date not null,
    end_before     date not null,
    state          text not null check (state in
        ('claimed', 'reviewed', 'approved', 'ordered', 'paid', 'withdrawn', 'rejected')),
    settlements    bigint not null,             -- rows: settlements, refunds, reinstatements
    visits         bigint not null,             -- settlements less refunds
    medfee_fen     bigint not null,
    scope_fen      bigint not null,
    fund_fen       bigint not null,
    account_fen    bigint not null,
    cash_fen       bigint not null,
    payable_fen    bigint not null,             -- what the ledger owes for it: fund and own account
    deducted_fen   bigint not null default 0,
    fund_type      text not null default '',    -- year end: the fund that bears it
    basis          text not null default '',    -- year end: what it rests on
    claimed_at     timestamptz not null,
    claimed_by     text not null,
    reviewed_at    timestamptz,
    reviewed_by    text,
    approved_at    timestamptz,
    approved_by    text,
    closed_at      timestamptz,                 -- withdrawn or rejected
    closed_by      text,
    closed_reason  text,
    payment_id     text,
    check (begin_on < end_before),
    check (payable_fen <> 0 or kind = 'monthly'),
    check (state in ('claimed', 'withdrawn', 'rejected') or reviewed_by is not null),
    check (state not in ('approved', 'ordered', 'paid') or approved_by is not null),
    check (approved_by is null or approved_by <> reviewed_by),                  -- four eyes
    check ((state in ('ordered', 'paid')) = (payment_id is not null)),
    check ((state in ('withdrawn', 'rejected')) = (closed_by is not null))
);
create index claim_by_institution on clearing.claim (fixmedins_code, claimed_at);
create index claim_by_state on clearing.claim (admdvs, state);
create index claim_by_payment on clearing.claim (payment_id) where payment_id is not null;
create unique index claim_of_year_end on clearing.claim (fixmedins_code, admdvs, period, fund_type)
    where kind = 'year_end' and state <> 'rejected';

-- Which settlements a claim asks for; a withdrawn or rejected claim lets go of its own.
create table clearing.claim_item (
    psn_no         text not null,
    setl_id        text not null,
    claim_id       text not null,
    admdvs         text not null,
    payable_fen    bigint not null,
    is_live        boolean not null,
    primary key (psn_no, setl_id, claim_id)
);
create unique index claim_item_once on clearing.claim_item (psn_no, setl_id) where is_live;
create index claim_item_by_claim on clearing.claim_item (claim_id);

create table clearing.deduction (               -- + taken from the institution, - given back
    claim_id       text not null,
    deduction_no   text not null,               -- number of the decision
    admdvs         text not null,               -- whose funds keep the money
    source         text not null check (source in ('supervision', 'manual')),
    psn_no         text,                        -- whom the settlement is of, where it is about one
    setl_id        text,
    amount_fen     bigint not null check (amount_fen <> 0),
    reason         text not null check (reason <> ''),
    decided_by     text not null,
    taken_at       timestamptz not null,
    is_live        boolean not null default true,
    primary key (claim_id, deduction_no)
);
create unique index deduction_once on clearing.deduction (psn_no, deduction_no) where source = 'supervision' and is_live;

-- Where an institution's money goes; changed by two people like the money itself.
create table clearing.payee (
    fixmedins_code text primary key,
    admdvs         text not null,
    bank_name      text not null check (bank_name <> ''),
    account_name   text not null check (account_name <> ''),
    account_no     text not null check (account_no <> ''),
    set_by         text not null,
    checked_by     text not null,
    set_at         timestamptz not null,
    check (set_by <> checked_by)
);

create table clearing.payment_file (
    file_no        text primary key,
    admdvs         text not null,
    payments       bigint not null,
    sum_fen        bigint not null,
    digest         bytea not null,              -- SM3 of the content
    content        bytea not null,
    made_by        text not null,
    made_at        timestamptz not null
);
create table clearing.payment (
    payment_id     text primary key,
    admdvs         text not null,
    fixmedins_code text not null,
    file_no        text,                        -- null: nothing to pay, the claims cancel out
    amount_fen     bigint not null,
    account_no     text not null default '',
    state          text not null check (state in ('ordered', 'paid', 'failed', 'offset')),
    bank_ref       text not null default '',
    reason         text not null default '',
    made_at        timestamptz not null,
    ended_at       timestamptz,
    check ((state = 'offset') = (amount_fen = 0) and (state = 'offset') = (file_no is null)),
    check (amount_fen >= 0),
    check ((state = 'ordered') = (ended_at is null))
);
create index payment_by_institution on clearing.payment (fixmedins_code, made_at);
create index payment_by_file on clearing.payment (file_no);
create table clearing.return_file (             -- what the bank answered, as it came
    digest         bytea primary key,
    admdvs         text not null,
    file_no        text not null,
    content        bytea not null,
    paid           bigint not null,
    failed         bigint not null,
    read_by        text not null,
    read_at        timestamptz not null
);

-- Where a posting concerns no person, psn_no holds the institution.
alter table ledger.posting drop constraint posting_kind_check;
alter table ledger.posting add constraint posting_kind_check check (kind in
    ('opening', 'credit', 'settlement', 'refund', 'reinstatement', 'deduction', 'payment', 'prepayment', 'year_end'));

grant select, insert, delete on clearing.file to yibao_gateway;
grant select, insert on clearing.claim, clearing.claim_item to yibao_gateway;
grant update (state, closed_at, closed_by, closed_reason) on clearing.claim to yibao_gateway;
grant update (is_live) on clearing.claim_item to yibao_gateway;
-- Bank accounts, and the files that hold them, are for nobody but the agency's own desk.
grant select on clearing.file, clearing.claim, clearing.claim_item, clearing.deduction to yibao_portal;
grant select (payment_id, admdvs, fixmedins_code, file_no, amount_fen, state, bank_ref, reason, made_at, ended_at)
    on clearing.payment to yibao_portal;
