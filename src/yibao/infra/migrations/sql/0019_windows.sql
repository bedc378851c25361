-- Plans of cut-over windows, their publication, and the stages of reopening; keys of institutions.
-- A plan is text, kept as it was proposed; the newest published version of a name counts. Whoever changes what
-- counts moves the epoch in the same transaction, and every process reads the plans again within a second.

create schema windows;
grant usage on schema windows to yibao_gateway, yibao_portal, yibao_worker, yibao_agency;

create table windows.plan (
    admdvs       text not null,
    name         text not null check (name ~ '^[a-z0-9][a-z0-9-]{1,39}$'),
    version      integer not null check (version > 0),
    text         text not null,                  -- TOML
    digest       bytea not null,                 -- SM3 of the text
    state        text not null check (state in ('proposed', 'published', 'withdrawn')),
    amends       integer not null,               -- version it replaces; 0: the first
    reason       text not null,                  -- why it was proposed
    announced_in text not null,                  -- where people were or will be told
    proposed_by  text not null,
    proposed_at  timestamptz not null,
    published_by text not null default '',
    published_at timestamptz,
    withdrawn_by text not null default '',
    withdrawn_at timestamptz,
    why          text not null default '',       -- why it was withdrawn
    primary key (admdvs, name, version),
    check (amends < version),
    check ((published_at is not null) = (published_by <> '')),
    check ((withdrawn_at is not null) = (withdrawn_by <> '')),
    check ((state = 'published') = (published_at is not null and withdrawn_at is null)),
    check ((state = 'withdrawn') = (withdrawn_at is not null)),
    check (published_by <> proposed_by)          -- two people
);
create unique index plan_in_hand on windows.plan (admdvs, name) where state = 'proposed';

create table windows.opening (                   -- what was done with a stage of the reopening; the last row of one counts
    admdvs     text not null,
    name       text not null,                    -- plan
    ordinal    integer not null,                 -- stage
    seq        integer not null check (seq > 0),
    act        text not null check (act in ('open', 'stop')),
    at         timestamptz not null,
    by         text not null,                    -- clerk, or "worker" for the stop rule
    reason     text not null,
    error_rate integer check (error_rate between 0 and 10000),   -- ten-thousandths, where the stop rule acted
    primary key (admdvs, name, ordinal, seq)
);

create table windows.epoch (                     -- one row; no region: it says only that something moved
    one        boolean primary key default true check (one),
    epoch      bigint not null
);
insert into windows.epoch (epoch) values (0);

create table windows.snapshot (                  -- answers of queries as they were after a stop began, for the time it lasts
    psn_no    text not null,
    name      text not null,                     -- plan
    operation text not null,                     -- which question
    admdvs    text not null,
    taken_at  timestamptz not null,
    answer    bytea not null,
    primary key (psn_no, name, operation)
);

grant select on windows.snapshot to yibao_agency, yibao_portal;
grant insert on windows.snapshot to yibao_agency;
grant select on windows.plan, windows.opening, windows.epoch to yibao_gateway, yibao_portal, yibao_worker, yibao_agency;
grant insert, update on windows.plan to yibao_agency;
grant insert on windows.opening to yibao_agency;
grant update on windows.epoch to yibao_agency;

-- What a party says while a window stops it is kept and handled after the restart, in order.
alter table exchange.inbox drop constraint inbox_outcome_check;
alter table exchange.inbox add constraint inbox_outcome_check check (outcome in ('done', 'case', 'held'));
create index inbox_held on exchange.inbox (party, no) where outcome = 'held';

-- An institution's own program: one role, one institution.
alter table access.agent add column fixmedins_code text not null default '';
alter table access.agent drop constraint agent_roles_check;
alter table access.agent add constraint agent_roles_check
    check (roles <@ array['intake', 'review', 'approve', 'pay', 'audit', 'admin', 'institution']);
alter table access.agent add constraint agent_of_institution
    check (case when fixmedins_code = '' then not 'institution' = any (roles)
                else roles = array['institution'] and division = '' end);
grant update (fixmedins_code) on access.agent to yibao_agency;

-- The share of failed messages after a stage opened is counted from the last minutes of both tables. Such an index costs
-- a message nothing: it is made of whole blocks, later.
create index message_by_time on platform.message using brin (received_at) with (pages_per_range = 16, autosummarize = on);
create index traffic_by_day on platform.traffic using brin (received_at) with (pages_per_range = 16, autosummarize = on);
