-- Payment groups and the year they are paid by. Results are shown and reckoned beside the settlement in force, so a reversed
-- settlement drops out by itself; the year is closed from the settlements, not from the amounts kept here.

create schema grouping;
grant usage on schema grouping to yibao_gateway, yibao_portal, yibao_worker;

create table grouping.result (
    psn_no         text not null,
    setl_id        text not null,
    admdvs         text not null,               -- insured region, which pays
    fixmedins_code text not null,
    method         text not null check (method in ('drg_rate', 'drg_points', 'dip')),
    state          text not null,               -- grouped, or why not
    mdc            text not null default '',
    adrg           text not null default '',
    code           text not null default '',    -- group or packet
    name           text not null default '',
    complication   text not null default '',    -- mcc, cc, '' = none that counts
    dx_codes       text[] not null,             -- as the grouper read them, the main one first
    op_codes       text[] not null,
    why            text[] not null,             -- Chinese sentences that name the rows of the tables
    los_days       integer not null,
    cost_fen       bigint not null,             -- of the whole stay, interim settlements too
    kind           text not null,               -- how it is paid: standard, high, low, long_stay, by_disease, ungrouped ...
    weight_e4      bigint not null,             -- weight or score
    points_e4      bigint not null,
    standard_fen   bigint not null,             -- at the budget's value of a point
    due_fen        bigint not null,
    reason         text not null,
    scheme         text not null,
    grouped_at     timestamptz not null,
    primary key (psn_no, setl_id),
    check (weight_e4 >= 0 and points_e4 >= 0 and standard_fen >= 0 and due_fen >= 0),
    check ((state = 'grouped') = (code <> ''))
);
create index result_by_institution on grouping.result (fixmedins_code, setl_id);

create table grouping.exit_application (        -- 3602: an institution asks that a stay be paid by item
    psn_no         text not null,
    application_id text not null,
    admdvs         text not null,
    fixmedins_code text not null,
    setl_id        text not null,
    exit_type      text not null default '',
    reason         text not null check (reason <> ''),
    detail         jsonb not null default '{}', -- the other fields as sent
    items          jsonb not null default '[]',
    state          text not null check (state in ('filed', 'withdrawn', 'approved', 'refused')),
    filed_at       timestamptz not null,
    changed_at     timestamptz not null,
    opter          text not null,
    opter_name     text not null default '',
    decided_at     timestamptz,
    decided_by     text not null default '',
    opinion        text not null default '',
    primary key (psn_no, application_id),
    check ((state in ('approved', 'refused')) = (decided_at is not null)),
    check ((decided_at is null) = (decided_by = ''))
);
create unique index exit_application_live on grouping.exit_application (psn_no, setl_id)
    where state in ('filed', 'approved');
create index exit_application_by_institution on grouping.exit_application (fixmedins_code, filed_at);
create index exit_application_by_id on grouping.exit_application (application_id);

create table grouping.year_close (              -- one pool's year, worked out and then approved by somebody else
    close_id       text primary key,
    admdvs         text not null,
    year           integer not null,
    pool           text not null,
    fund_type      text not null,
    method         text not null,
    budget_fen     bigint not null check (budget_fen >= 0),
    points_e4      bigint not null,
    value_num      numeric not null,            -- a point's worth in fen as an exact fraction; 0 where a rate is used
    value_den      numeric not null check (value_den > 0),
    is_cut         boolean not null,            -- the budget cut what was due
    state          text not null check (state in ('computed', 'approved', 'dropped')),
    terms_digest   bytea not null,              -- SM3 of the payment file it was worked out by
    computed_at    timestamptz not null,
    computed_by    text not null,
    approved_at    timestamptz,
    approved_by    text,
    check ((state = 'approved') = (approved_by is not null)),
    check (approved_by <> computed_by)          -- four eyes
);
create unique index year_close_once on grouping.year_close (admdvs, year, fund_type) where state <> 'dropped';

create table grouping.year_line (
    close_id       text not null references grouping.year_close,
    fixmedins_code text not null,
    admdvs         text not null,
    cases          bigint not null,
    points_e4      bigint not null,
    due_fen        bigint not null,
    paid_fen       bigint not null,
    shared_fen     bigint not null,
    final_fen      bigint not null check (final_fen >= 0),
    adjust_fen     bigint not null check (adjust_fen = final_fen - paid_fen),
    reason         text not null,
    claim_id       text not null default '',    -- the clearing that pays or takes back the difference
    primary key (close_id, fixmedins_code)
);

grant select on grouping.result, grouping.year_close, grouping.year_line to yibao_gateway;
grant select, insert, update on grouping.exit_application to yibao_gateway;
grant select on all tables in schema grouping to yibao_portal;
