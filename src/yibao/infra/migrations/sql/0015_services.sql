-- Service items, applications, transfers and certificates.

create schema services;
create schema transfers;
create schema certificates;
grant usage on schema services, transfers, certificates to yibao_gateway, yibao_portal, yibao_worker, yibao_agency;

-- ───────────────────────── applications ─────────────────────────

create table services.application (             -- what a person, an employer or a list asked for
    application_id text primary key,
    admdvs         text not null,
    division       text not null default '',    -- county (6 digits) or town (9) of the office that took it
    item_code      text not null,
    applicant_kind text not null,
    applicant_no   text not null,               -- psn_no, emp_no; '' where the item gives the number
    applicant_name text not null,
    phone          text not null default '',
    channel        text not null,
    state          text not null check (state in ('draft', 'submitted', 'registered', 'returned_for_material', 'accepted',
        'not_accepted', 'reviewing', 'suspended', 'approved', 'rejected', 'paying', 'paid', 'pay_failed', 'closed', 'rated',
        'withdrawn')),
    traits         text[] not null default '{}',
    body           jsonb not null,              -- content of the deed that is asked for
    notice         text[] not null default '{}',-- what the one-time notice named
    submitted_at   timestamptz not null,
    submitted_by   text not null,
    accepted_at    timestamptz,
    accepted_by    text,
    limit_days     integer,
    limit_source   text not null default '',
    due_on         date,                        -- null before acceptance and while suspended
    reviewed_by    text,
    decided_by     text,
    reason         text not null default '',
    register_no    text not null default '',
    window_id      text not null default '',
    result         jsonb not null default 'null',
    payout_id      text not null default '',
    closed_at      timestamptz,
    rating         integer check (rating between 1 and 5),
    rating_says    text not null default '',
    check (decided_by <> reviewed_by),          -- four eyes
    check ((accepted_at is null) = (accepted_by is null)),
    check (state not in ('registered') or register_no <> ''),
    check (state not in ('not_accepted', 'rejected') or reason <> '')
);
create index application_by_state on services.application (admdvs, state, due_on);
create index application_by_applicant on services.application (applicant_no, submitted_at) where applicant_no <> '';
create unique index application_by_register on services.application (admdvs, register_no) where register_no <> '';

create table services.step (                    -- everything that happened to an application; only ever added to
    application_id text not null references services.application,
    ordinal        integer not null,
    admdvs         text not null,
    what           text not null,
    state          text not null,               -- after it
    at             timestamptz not null,
    actor          text not null,
    channel        text not null,
    division       text not null default '',
    working_day    integer not null,            -- counted from acceptance, without pauses; 0 before
    says           text not null default '',
    primary key (application_id, ordinal)
);
create table services.material (
    application_id text not null references services.application,
    material       text not null,
    admdvs         text not null,
    title          text not null,
    state          text not null check (state in ('given', 'undertaken')),
    file_name      text not null default '',
    content        bytea not null default '',
    digest         bytea not null default '',   -- SM3 of the content
    given_at       timestamptz not null,
    primary key (application_id, material)
);
create table services.pause (                   -- days on which the clock stands
    application_id text not null references services.application,
    ordinal        integer not null,
    admdvs         text not null,
    begin_on       date not null,
    end_on         date,                        -- half-open; null: still
    window_id      text not null default '',
    says           text not null,
    primary key (application_id, ordinal),
    check (end_on >= begin_on)
);
create unique index pause_open on services.pause (application_id) where end_on is null;

-- ───────────────────────── transfers ─────────────────────────

create table transfers.transfer (               -- one side's view of a relation that moves between regions
    psn_no         text not null,
    transfer_id    text not null,
    admdvs         text not null,               -- whose side
    direction      text not null check (direction in ('in', 'out')),
    other_admdvs   text not null,
    other_name     text not null,
    insutype       text not null check (insutype in ('310', '390')),
    reference      text not null,               -- the transfer's number on the side that asked; both know it
    state          text not null check (state in ('asked', 'merged', 'sent', 'closed', 'refused', 'cancelled')),
    begun_on       date not null,               -- the clock of this side starts
    due_on         date not null,
    months         integer not null default 0,  -- on the sheet
    counted        integer not null default 0,  -- of them new here
    overlapping    integer not null default 0,  -- of them counted here before
    account_fen    bigint not null default 0 check (account_fen >= 0),     -- that goes with the person
    received_fen   bigint not null default 0 check (received_fen between 0 and account_fen),
    reason         text not null default '',
    application_id text not null default '',
    payout_id      text not null default '',
    asked_by       text not null,
    asked_at       timestamptz not null,
    ended_at       timestamptz,
    primary key (psn_no, transfer_id),
    check (counted + overlapping <= months)
);
create unique index transfer_live on transfers.transfer (psn_no, direction, other_admdvs, insutype)
    where state not in ('closed', 'refused', 'cancelled');
create unique index transfer_by_reference on transfers.transfer (admdvs, direction, reference);
create index transfer_by_state on transfers.transfer (admdvs, state, due_on);

create table transfers.paper (                  -- 参保凭证, 转移类型变更信息表, 信息表
    psn_no         text not null,
    transfer_id    text not null,
    kind           text not null check (kind in ('certificate', 'change_form', 'sheet')),
    admdvs         text not null,
    content        jsonb not null,
    digest         bytea not null,              -- SM3 of the content as it came or left
    kept_at        timestamptz not null,
    primary key (psn_no, transfer_id, kind)
);
create table transfers.money (                  -- what another region's agency paid, as the bank told it
    payment_ref    text not null,
    admdvs         text not null,
    from_admdvs    text not null,
    reference      text not null,
    amount_fen     bigint not null check (amount_fen > 0),
    arrived_on     date not null,
    psn_no         text not null default '',    -- '' while it fits no transfer
    transfer_id    text not null default '',
    state          text not null check (state in ('booked', 'open')),      -- open: a case to work
    reason         text not null default '',
    told_at        timestamptz not null,
    primary key (admdvs, payment_ref),
    check ((state = 'booked') = (transfer_id <> '')),
    check (state = 'booked' or reason <> '')
);
create table transfers.retirement_place (       -- which region bears the benefit of somebody who retires
    psn_no         text not null,
    confirmation_id text not null,
    admdvs         text not null,
    bearing_admdvs text not null,
    insutype       text not null default '310',
    confirmed_on   date not null,
    months_here    integer not null,
    months_total   integer not null,
    basis          text not null,
    asked_by       text not null,
    confirmed_by   text not null,
    confirmed_at   timestamptz not null,
    is_live        boolean not null default true,
    primary key (psn_no, confirmation_id),
    check (asked_by <> confirmed_by)            -- four eyes
);
create unique index retirement_place_once on transfers.retirement_place (psn_no, insutype) where is_live;

-- ───────────────────────── certificates ─────────────────────────

create table certificates.certificate (
    psn_no         text not null,
    certificate_no text not null,
    admdvs         text not null,
    kind           text not null check (kind in ('enrolment', 'benefit')),
    issued_at      timestamptz not null,
    valid_to       date not null,               -- half-open
    content        jsonb not null,              -- the facts it was made of
    statement      text not null,               -- the printed lines
    digest         bytea not null,              -- SM3 of number and statement
    code           text not null,               -- for the public check
    application_id text not null default '',
    issued_by      text not null,
    channel        text not null,
    revoked_at     timestamptz,
    revoked_why    text not null default '',
    pdf            bytea,                       -- as it was first printed, byte for byte again
    pdf_digest     bytea,
    primary key (psn_no, certificate_no),
    check ((pdf is null) = (pdf_digest is null))
);
create unique index certificate_by_number on certificates.certificate (certificate_no);

grant select on all tables in schema services, transfers, certificates to yibao_portal, yibao_agency;
grant insert, update on services.application, services.material, services.pause, transfers.transfer, transfers.money,
    transfers.retirement_place, certificates.certificate to yibao_agency;
grant insert on services.step, transfers.paper to yibao_agency;

-- Whoever holds a certificate may have it checked, whatever the region: number and code together are the right to see it.
create function certificates.checked(p_no text, p_code text) returns table (
    admdvs text, kind text, issued_at timestamptz, valid_to date, statement text, digest bytea, pdf_digest bytea,
    revoked_at timestamptz, revoked_why text
) language sql stable security definer set search_path = pg_catalog as $$
    select admdvs, kind, issued_at, valid_to, statement, digest, pdf_digest, revoked_at, revoked_why
    from certificates.certificate where certificate_no = p_no and code = p_code
$$;
revoke all on function certificates.checked(text, text) from public;
grant execute on function certificates.checked(text, text) to yibao_agency, yibao_portal;
