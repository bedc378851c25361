-- Settlement lists and other records that institutions upload.

create schema records;
grant usage on schema records to yibao_gateway, yibao_portal, yibao_worker;

-- One list per settlement; an upload takes the place of an earlier one, list_event keeps what it replaced.
create table records.settlement_list (
    psn_no         text not null,
    setl_id        text not null,
    admdvs         text not null,               -- insured region, as the settlement has it
    mdtrt_id       text not null,
    fixmedins_code text not null,
    list_id        text not null check (list_id ~ '^\d{9}$'),    -- setl_list_id, also setl_list_sn
    care_kind      text not null check (care_kind in ('stay', 'day_surgery', 'chronic')),
    form           text not null check (form in ('national', 'older', 'a')),
    state          text not null check (state in ('draft', 'uploaded', 'checked', 'returned', 'accepted', 'grouped', 'used')),
    version        integer not null check (version > 0),         -- counts the uploads
    content        jsonb not null,              -- the list, see domains/records/model.py
    findings       jsonb not null,              -- what the quality check found in this version
    rules_version  text not null,               -- which edition of the check found it
    due_on         date not null,               -- last day to file it
    uploaded_at    timestamptz not null,
    filed_at       timestamptz,                 -- first submission; null while it never left the draft
    checked_at     timestamptz,
    decided_at     timestamptz,
    decided_by     text not null default '',
    reason         text not null default '',    -- why the agency returned it
    opter          text not null,
    opter_name     text not null default '',
    primary key (psn_no, setl_id),
    check (state = 'draft' or filed_at is not null)
);
create unique index list_by_id on records.settlement_list (fixmedins_code, list_id);
create index list_by_state on records.settlement_list (admdvs, state);

-- Every step of a list, appended only; an upload carries the content it brought.
create table records.list_event (
    psn_no         text not null,
    setl_id        text not null,
    seq            integer not null,
    admdvs         text not null,
    fixmedins_code text not null,
    at             timestamptz not null,
    verb           text not null check (verb in ('upload', 'submit', 'check', 'withdraw', 'accept', 'return', 'group', 'use')),
    state_from     text not null,               -- '' before the first upload
    state_to       text not null,
    version        integer not null,
    content        jsonb,
    findings       jsonb,
    reason         text not null default '',
    actor          text not null,
    primary key (psn_no, setl_id, seq)
);

-- One document per institution, kind and key, whatever message brought it (ADR 0016). Not keyed by person: records of
-- patients without insurance have none.
create table records.document (
    fixmedins_code text not null,
    kind           text not null,               -- number of the message's base form: 4501, 4402 (also for 4402A) ...
    doc_key        text not null,
    admdvs         text not null,               -- pooling region of the institution
    infno          text not null,
    psn_no         text not null default '',    -- '' = patient without insurance
    mdtrt_id       text not null default '',
    mdtrt_sn       text not null default '',    -- the institution's own number of the visit
    is_valid       boolean not null,            -- vali_flag
    version        integer not null check (version > 0),
    told_on        date,                        -- the day it tells of
    content        jsonb not null,
    received_at    timestamptz not null,
    msgid          text not null,
    opter          text not null,
    opter_name     text not null default '',
    primary key (fixmedins_code, kind, doc_key),
    check ((psn_no = '') = (mdtrt_id = ''))
);
create index document_by_person on records.document (psn_no, kind) where psn_no <> '';
create index document_by_visit on records.document (fixmedins_code, kind, mdtrt_sn);
-- What a later upload replaced.
create table records.document_version (like records.document including constraints, replaced_at timestamptz not null);
alter table records.document_version add primary key (fixmedins_code, kind, doc_key, version);

-- 5461: a person lets an institution see what others have found.
create table records.look_permit (
    psn_no         text not null,
    permit_id      text not null,
    admdvs         text not null,
    fixmedins_code text not null,
    given_at       timestamptz not null,
    valid_to       date not null,               -- first day without it
    opter          text not null,
    primary key (psn_no, permit_id)
);

grant select, insert, update on records.settlement_list, records.document to yibao_gateway;
grant select, insert on records.list_event, records.document_version, records.look_permit to yibao_gateway;
grant select on all tables in schema records to yibao_portal;
