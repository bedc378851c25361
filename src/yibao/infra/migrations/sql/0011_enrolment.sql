-- Persons with history, employers, relations, joiners and leavers.

-- ───────────────────────── people ─────────────────────────

alter table people.person
    add column division     text not null default '',  -- county (6 digits) or town (9 digits) whose clerks may touch it
    add column household_no text not null default '',  -- residents who pay together
    add column merged_into  text,                      -- the number that this person is known by since a merge
    add column recorded_at  timestamptz;               -- when we learnt of the person; null: before this was kept
-- The same document in another region is another enrolment there; lookups still lead with the document.
drop index people.person_by_certificate;
create unique index person_by_certificate on people.person (cert_type, certno, admdvs);
create index person_by_household on people.person (household_no) where household_no <> '';
create index person_by_name on people.person (admdvs, name, birth_on);
create index person_merged on people.person (merged_into) where merged_into is not null;

create table people.change (                    -- every change of a person, never overwritten
    psn_no       text not null,
    change_id    text not null,
    admdvs       text not null,
    field        text not null,                 -- name, certno, phone, died_on ...
    old_value    text,
    new_value    text,
    effective_on date not null,                 -- true from this day on
    recorded_at  timestamptz not null,          -- known from this instant on
    evidence     text not null default '',
    actor        text not null,
    channel      text not null,
    cause        text not null,                 -- change, correction, merge, split, death, retirement ...
    primary key (psn_no, change_id)
);
create table people.merge (                     -- two numbers of one person; undone by a split
    merge_id    text primary key,
    admdvs      text not null,
    kept_no     text not null,
    merged_no   text not null,
    reason      text not null,
    evidence    text not null default '',
    made_by     text not null,
    made_at     timestamptz not null,
    moved       jsonb not null,                 -- what went over: relations, dues, identities, recognitions, fen
    undone_by   text,
    undone_at   timestamptz,
    undone_why  text not null default '',
    check ((undone_by is null) = (undone_at is null)),
    check (kept_no <> merged_no)
);
create unique index merge_once on people.merge (merged_no) where undone_at is null;
create table people.doubt (                     -- who somebody is, is in doubt: a case to work, never an overwrite
    doubt_id   text primary key,                -- natural: kind, document and what was said
    admdvs     text not null,
    kind       text not null,
    psn_no     text,
    other_no   text,
    cert_type  text not null default '',
    certno     text not null default '',
    name       text not null default '',
    origin     text not null,                   -- where it came up: add_member, import, assisted_list ...
    said       jsonb not null default '{}',
    state      text not null check (state in ('open', 'settled')),
    opened_at  timestamptz not null,
    decision   text not null default '',
    decided_by text,
    decided_at timestamptz,
    check ((state = 'settled') = (decided_at is not null))
);
create index doubt_open on people.doubt (admdvs, opened_at) where state = 'open';

-- ───────────────────────── employers ─────────────────────────

alter table enrolment.employer
    add column kind              text not null default 'enterprise',   -- enterprise, public, school, village, other
    add column registration_kind text not null default 'new',
    add column nature            text not null default '',
    add column division          text not null default '',
    add column address           text not null default '',
    add column legal_name        text not null default '',
    add column legal_cert_type   text not null default '',
    add column legal_certno      text not null default '',
    add column legal_phone       text not null default '',
    add column bank_name         text not null default '',
    add column bank_account      text not null default '',
    add column insurances        text[] not null default '{310}',
    add column enrolled_on       date,
    add column handler_name      text not null default '',
    add column handler_phone     text not null default '',
    add column account_kind      text not null default 'with_account'
        check (account_kind in ('with_account', 'pool_only')),         -- how its employees are insured
    add column state             text not null default 'active' check (state in ('active', 'merged', 'split', 'cancelled')),
    add column ended_on          date,
    add column merged_into       text,
    add column recorded_at       timestamptz;
create index employer_by_credit_code on enrolment.employer (uscc);
create unique index employer_once on enrolment.employer (admdvs, uscc) where state = 'active' and recorded_at is not null;

create table enrolment.employer_change (
    emp_no       text not null,
    change_id    text not null,
    admdvs       text not null,
    field        text not null,
    old_value    text,
    new_value    text,
    effective_on date not null,
    recorded_at  timestamptz not null,
    evidence     text not null default '',
    actor        text not null,
    channel      text not null,
    cause        text not null,
    primary key (emp_no, change_id)
);

-- ───────────────────────── relations ─────────────────────────

alter table enrolment.relation
    add column enrolment_kind    text not null default '',  -- a word of the law: employed, flexible, resident, newborn ...
    add column recorded_at       timestamptz,               -- when we learnt of it; null: at its first day
    add column ended_recorded_at timestamptz,               -- when we learnt of its end
    add column cause             text not null default '',  -- why it began
    add column end_cause         text not null default '',  -- why it ended
    add column wage_fen          bigint check (wage_fen >= 0),  -- said at joining: the first base; null: not said
    add column group_name        text not null default '',  -- class of a student, team of a village
    add column merged_from       text;                      -- copied from this number by a merge
-- From now on an ended relation says the first day on which it no longer holds.
update enrolment.relation set paused_on = coalesce(benefit_to, insured_on) where status = '4' and paused_on is null;
update enrolment.relation set enrolment_kind = case
    when insutype = '390' and psn_type like '1401%' then 'newborn'
    when insutype = '390' and (psn_type like '1403%' or psn_type like '1404%') then 'student'
    when insutype = '390' then 'resident'
    when flexible then 'flexible'
    when psn_type like '11%' then 'employed'
    else '' end where enrolment_kind = '';
create unique index relation_one_open on enrolment.relation (psn_no)
    where insutype in ('310', '390') and paused_on is null and status <> '4';
create index relation_by_employer on enrolment.relation (emp_no, insured_on) where emp_no is not null;

alter table enrolment.special_identity add column source text not null default '';  -- the list it stands on, '' by hand

create table enrolment.year_credit (            -- months that count towards retirement beside what was paid here
    psn_no      text not null,
    credit_id   text not null,
    admdvs      text not null,
    insutype    text not null,
    kind        text not null check (kind in ('deemed', 'transferred', 'bought')),
    first_month date,                           -- the months it stands for, half-open, where they are known
    until_month date,
    months      integer not null check (months > 0),
    elsewhere   text not null default '',       -- the region they were paid in
    evidence    text not null,
    recorded_by text not null,
    recorded_at timestamptz not null,
    withdrawn_at timestamptz,
    primary key (psn_no, credit_id),
    check ((first_month is null) = (until_month is null))
);
create table enrolment.retirement (             -- years held against the law when somebody retired
    psn_no        text not null,
    approved_on   date not null,
    admdvs        text not null,
    needed_total  integer not null,             -- months
    needed_actual integer not null,
    total_months  integer not null,
    actual_months integer not null,
    short_months  integer not null check (short_months >= 0),
    completion    text not null check (completion in ('none', 'lump', 'monthly')),
    rules         text[] not null,              -- rows of the law
    relation_id   text not null,                -- the relation that began with it
    recorded_at   timestamptz not null,
    ended_at      timestamptz,                  -- monthly continuing that has come to its end
    primary key (psn_no, approved_on),
    check ((completion = 'none') = (short_months = 0))
);
create table enrolment.assisted_list (          -- a list of civil affairs, whole or not at all
    list_id       text primary key,
    admdvs        text not null,
    identity_type text not null,
    valid_from    date not null,
    rows          integer not null,
    digest        bytea not null,
    added         integer not null,
    kept          integer not null,
    ended         integer not null,
    doubtful      integer not null,
    taken_by      text not null,
    taken_at      timestamptz not null
);
create table enrolment.assisted_row (           -- who stands on it, also those we do not know (yet)
    list_id   text not null,
    row_no    integer not null,
    admdvs    text not null,
    cert_type text not null,
    certno    text not null,
    name      text not null,
    valid_to  date,
    psn_no    text,
    outcome   text not null check (outcome in ('added', 'kept', 'unknown', 'name_differs', 'dead')),
    primary key (list_id, row_no)
);
create index assisted_row_unknown on enrolment.assisted_row (cert_type, certno) where outcome = 'unknown';

-- ───────────────────────── joiners and leavers by spreadsheet ─────────────────────────

create table enrolment.import_file (
    import_id  text primary key,                -- SM3 of content, employer, kind and choice: the same file twice is one
    admdvs     text not null,
    kind       text not null check (kind in ('joiners', 'leavers')),
    emp_no     text not null,
    file_name  text not null,
    only_valid boolean not null,                -- apply the valid rows, or nothing when one is wrong
    rows       integer not null,
    state      text not null check (state in ('open', 'done', 'refused')),
    applied    integer not null default 0,
    refused    integer not null default 0,
    content    bytea not null,
    made_by    text not null,
    made_at    timestamptz not null,
    done_at    timestamptz
);
create table enrolment.import_row (
    import_id  text not null,
    row_no     integer not null,                -- row of the sheet, from 1
    admdvs     text not null,
    state      text not null check (state in ('applied', 'refused', 'held')),
    psn_no     text,
    said       text not null,                   -- what happened, in Chinese
    primary key (import_id, row_no)
);

-- Where else a document is enrolled now. A region does not see another's rows: this tells the region's code and no more.
create function enrolment.enrolled_elsewhere(p_cert_type text, p_certnos text[], p_admdvs text)
returns table (certno text, admdvs text) language sql stable security definer set search_path = '' as $$
    select p.certno, r.admdvs
    from people.person p join enrolment.relation r on r.psn_no = p.psn_no
    where p.cert_type = p_cert_type and p.certno = any(p_certnos) and p.admdvs <> p_admdvs
      and r.insutype in ('310', '390') and r.status <> '4' and r.paused_on is null
$$;
revoke all on function enrolment.enrolled_elsewhere(text, text[], text) from public;
grant execute on function enrolment.enrolled_elsewhere(text, text[], text) to yibao_agency;

grant select on people.change, people.merge, people.doubt, enrolment.employer_change, enrolment.year_credit,
    enrolment.retirement, enrolment.assisted_list, enrolment.assisted_row, enrolment.import_file, enrolment.import_row
    to yibao_agency;
grant insert on people.person, people.change, people.merge, people.doubt, enrolment.employer, enrolment.employer_change,
    enrolment.relation, enrolment.special_identity, enrolment.year_credit, enrolment.retirement, enrolment.assisted_list,
    enrolment.assisted_row, enrolment.import_file, enrolment.import_row, applications.chronic_recognition to yibao_agency;
grant update on people.person, people.merge, people.doubt, enrolment.employer, enrolment.relation,
    enrolment.special_identity, enrolment.year_credit, enrolment.retirement, enrolment.import_file to yibao_agency;
-- A split takes back what a merge had copied.
grant delete on enrolment.relation, enrolment.special_identity, applications.chronic_recognition to yibao_agency;
grant select on enrolment.year_credit, enrolment.retirement to yibao_gateway;
grant select on people.change, enrolment.year_credit, enrolment.retirement to yibao_portal;
