-- Agents, keys and what they may do; deeds that wait for a second person; corrections people ask for.
grant usage on schema access to yibao_agency;

create table access.agent (                     -- a clerk of the agency, or a program that acts for it
    login       text primary key check (login ~ '^[a-z0-9][a-z0-9._-]{1,39}$'),
    admdvs      text not null,                  -- home region: who keeps the account
    name        text not null,
    regions     text[] not null check (cardinality(regions) > 0),
    division    text not null default '',       -- county (6 digits) or town (9); '' = the whole region
    roles       text[] not null,
    created_at  timestamptz not null,
    created_by  text not null,
    disabled_at timestamptz,
    check (admdvs = any (regions)),
    check (roles <@ array['intake', 'review', 'approve', 'pay', 'audit', 'admin']),
    -- Never all in one hand: who prepares does not decide or pay; who audits or administers does nothing else.
    check (not (roles && array['intake', 'review'] and roles && array['approve', 'pay'])),
    check (not (roles && array['audit', 'admin']) or cardinality(roles) = 1)
);
create table access.api_key (                   -- the secret is shown once; its SM3 digest stays
    key_id          text primary key,
    admdvs          text not null,
    login           text not null references access.agent,
    title           text not null,
    digest          bytea not null,
    scopes          text[] not null,            -- roles the key may use, of those its agent has
    rate_per_minute integer not null check (rate_per_minute > 0),
    created_at      timestamptz not null,
    created_by      text not null,
    expires_at      timestamptz not null,
    revoked_at      timestamptz,
    revoked_by      text not null default '',
    check (expires_at > created_at)
);
create index api_key_by_login on access.api_key (login);

create table access.proposal (                  -- a sensitive deed as the first person asked for it
    proposal_id text primary key,
    admdvs      text not null,
    division    text not null default '',
    verb        text not null,
    operation   text not null,                  -- which operation of the API
    psn_no      text,
    parameters  jsonb not null,
    body        jsonb,
    made_by     text not null,
    made_at     timestamptz not null,
    state       text not null check (state in ('proposed', 'approved', 'rejected', 'withdrawn')),
    decided_by  text not null default '',
    decided_at  timestamptz,
    reason      text not null default '',
    check ((state = 'proposed') = (decided_at is null)),
    check (state not in ('approved', 'rejected') or decided_by <> made_by)
);
create index proposal_by_state on access.proposal (admdvs, state, made_at);
create index proposal_by_person on access.proposal (psn_no) where psn_no is not null;

create table access.correction (                -- somebody says that what is stored about them is wrong
    psn_no        text not null,
    correction_id text not null,
    admdvs        text not null,
    field         text not null,
    old_value     text not null,
    new_value     text not null,
    reason        text not null,
    evidence      text not null default '',
    state         text not null check (state in ('asked', 'corrected', 'rejected')),
    made_by       text not null,
    made_at       timestamptz not null,
    decided_by    text not null default '',
    decided_at    timestamptz,
    answer        text not null default '',
    primary key (psn_no, correction_id),
    check ((state = 'asked') = (decided_at is null)),
    check (decided_by <> made_by)
);
create index correction_by_id on access.correction (correction_id);
create unique index correction_open on access.correction (psn_no, field) where state = 'asked';

grant select, insert on access.agent, access.api_key, access.proposal, access.correction to yibao_agency;
grant update (name, division, roles, regions, disabled_at) on access.agent to yibao_agency;
grant update (revoked_at, revoked_by) on access.api_key to yibao_agency;
grant update (state, decided_by, decided_at, reason) on access.proposal to yibao_agency;
grant update (state, decided_by, decided_at, answer) on access.correction to yibao_agency;
grant select on access.correction, access.proposal to yibao_portal;

-- A person may ask for all that is stored: the agency reads every table that is about persons.
do $$
declare t record;
begin
    for t in
        select distinct n.nspname, c.relname from pg_class c
        join pg_namespace n on n.oid = c.relnamespace
        join pg_attribute a on a.attrelid = c.oid and a.attname = 'psn_no' and not a.attisdropped
        where c.relkind = 'r' and n.nspname not like 'pg\_%' and n.nspname <> 'information_schema'
    loop
        execute format('grant usage on schema %I to yibao_agency', t.nspname);
        execute format('grant select on %I.%I to yibao_agency', t.nspname, t.relname);
    end loop;
    -- An agent of a county or town sees its own people and employers only, whatever asks.
    for t in
        select n.nspname, c.relname from pg_class c
        join pg_namespace n on n.oid = c.relnamespace
        join pg_attribute a on a.attrelid = c.oid and a.attname = 'division' and not a.attisdropped
        where (n.nspname, c.relname) in (('people', 'person'), ('enrolment', 'employer'), ('access', 'proposal'))
    loop
        execute format('create policy division_agency on %I.%I as restrictive to yibao_agency using ('
                       'coalesce(current_setting(''yibao.division'', true), '''') = '''' '
                       'or starts_with(division, current_setting(''yibao.division'', true)))', t.nspname, t.relname);
    end loop;
end $$;

-- An institution stands in a county but belongs to the region whose agency signed its agreement.
create policy agreement_agency on institutions.institution to yibao_agency using
    (region = any (string_to_array(current_setting('yibao.admdvs', true), ',')));

-- Clerks decide and make filings by the API as they do by the command line.
grant insert, update on applications.chronic_filing, applications.injury, applications.maternity to yibao_agency;
grant update on applications.referral, applications.provider_choice to yibao_agency;
grant insert, delete on applications.chronic_recognition to yibao_agency;
grant select on applications.filing to yibao_agency;
grant update (version) on people.person to yibao_agency;

-- The agency looks at what institutions sent and are owed: checklists, months, reviews.
grant usage on schema clearing, grouping, supervision, records, dispensing to yibao_agency;
grant select on all tables in schema clearing, grouping, supervision, records, dispensing to yibao_agency;
