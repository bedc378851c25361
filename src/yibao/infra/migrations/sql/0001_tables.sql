-- The tables of the counter: one schema per domain, admdvs on every business row.
-- Person-keyed tables lead with psn_no; ids are made by the application; money is bigint fen.

create schema platform;
create schema people;
create schema enrolment;
create schema institutions;
create schema catalogue;
create schema applications;
create schema encounters;
create schema settlements;
create schema ledger;
create schema access;

-- ───────────────────────── platform: messages and audit ─────────────────────────

create table platform.region (
    admdvs       text primary key check (admdvs ~ '^\d{6}$'),
    name         text not null
);

-- One row per message that changed something; written in the money's transaction (R1).
create table platform.message (
    sender          text not null,              -- fixmedins_code of the sending institution
    msgid           text not null,
    admdvs          text not null,
    infno           text not null,
    state           text not null check (state in ('answered', 'voided')),  -- voided: reversed before it came
    psn_no          text,
    mdtrt_id        text,
    setl_id         text,
    request         bytea,
    request_digest  bytea not null,             -- SM3 over the business part, see infra/messages.py
    reply           bytea,                      -- the bytes that were sent, again and again
    received_at     timestamptz not null,
    replied_at      timestamptz not null,
    primary key (sender, msgid),
    check (state = 'voided' or (reply is not null and request is not null))
);
alter table platform.message set (toast_tuple_target = 8160);
create index message_by_encounter on platform.message (mdtrt_id);

-- Queries and refusals, written in batches outside any money transaction: a log, not a promise.
create table platform.traffic (
    id           text primary key,
    sender       text not null,
    msgid        text not null,
    admdvs       text not null,
    infno        text not null,
    outcome      text not null check (outcome in ('answered', 'refused', 'replayed', 'unavailable', 'defect')),
    refusal_code text,
    psn_no       text,
    mdtrt_id     text,
    request      bytea not null,
    reply        bytea not null,
    received_at  timestamptz not null,
    took_us      bigint not null
);
create index traffic_by_msgid on platform.traffic (sender, msgid);
create index traffic_by_encounter on platform.traffic (mdtrt_id);
create index traffic_by_person on platform.traffic (psn_no);
create index traffic_by_time on platform.traffic (sender, received_at);

-- One row per write, append-only. The worker seals finished transactions (xid below the snapshot's
-- horizon) in batches into a chain; nobody on the money's path waits for it.
create table platform.audit_entry (
    xid        xid8 not null default pg_current_xact_id(),
    id         text not null,
    at         timestamptz not null,
    actor      text not null,                   -- opter at the institution, or staff login
    sender     text not null,                   -- institution or system part that acted
    channel    text not null,                   -- gateway, portal, cli, worker
    verb       text not null,                   -- the deed: settle_visit, reverse_settlement ...
    object     text not null,                   -- what it was done to, e.g. a setl_id
    admdvs     text not null,
    rule       text not null default '',        -- policy version or rule id behind it
    digest     bytea not null,                  -- SM3 of the reply or of the new state
    primary key (xid, id)
);
create table platform.audit_seal (
    seq        bigint primary key,
    xid_from   xid8 not null,                   -- half-open: entries with xid_from <= xid < xid_to
    xid_to     xid8 not null,
    entries    bigint not null,
    previous   bytea not null,
    head       bytea not null,
    sealed_at  timestamptz not null
);

-- Content of every policy version that ever decided something, so that old bills replay (I9).
create table platform.policy_version (
    version    text primary key,                -- digest of the region's files
    admdvs     text not null,
    files      jsonb not null,                  -- file name -> text
    loaded_at  timestamptz not null
);

-- ───────────────────────── people and enrolment ─────────────────────────

create table people.person (
    psn_no     text primary key,
    admdvs     text not null,                   -- home region
    cert_type  text not null,
    certno     text not null,
    name       text not null,
    sex        text not null check (sex in ('0', '1', '2', '9')),
    nation     text not null default '01',
    birth_on   date not null,
    died_on    date,
    card_no    text,                            -- social-security card
    phone      text,
    story      text,                            -- key of the demo story, null for everybody else
    version    bigint not null default 0        -- moved by whoever changes what a settlement is decided on
);
alter table people.person set (fillfactor = 90);
create unique index person_by_certificate on people.person (cert_type, certno);
create index person_by_card on people.person (card_no) where card_no is not null;

create table enrolment.employer (
    emp_no     text primary key,
    admdvs     text not null,
    name       text not null,
    uscc       text not null
);
create table enrolment.relation (               -- person x insurance x period
    psn_no         text not null,
    relation_id    text not null,
    admdvs         text not null,
    insutype       text not null,               -- 310 employee, 390 resident
    psn_type       text not null,               -- four digits; rules read the first two only
    status         text not null check (status in ('1', '2', '4')),  -- normal, paused, ended
    status_reason  text not null default '',    -- why paused or ended, in Chinese
    emp_no         text,
    account_kind   text not null check (account_kind in ('with_account', 'pool_only', 'none')),
    civil_servant  boolean not null default false,
    flexible       boolean not null default false,
    insured_on     date not null,
    paused_on      date,
    benefit_from   date not null,               -- benefits are due from this day ...
    benefit_to     date,                        -- ... to before this day; null = open
    paid_months    integer not null default 0,  -- months of continuous payment
    primary key (psn_no, relation_id)
);
create table enrolment.special_identity (
    psn_no        text not null,
    identity_type text not null,                -- table psn_idet_type
    admdvs        text not null,
    valid_from    date not null,
    valid_to      date,
    primary key (psn_no, identity_type, valid_from)
);

-- ───────────────────────── institutions ─────────────────────────

create table institutions.institution (
    fixmedins_code text primary key check (length(fixmedins_code) = 12),
    admdvs         text not null,               -- county or city division
    region         text not null,               -- pooling region whose agency signed the agreement
    name           text not null,
    uscc           text not null,
    kind           text not null check (kind in ('1', '2')),       -- hospital, pharmacy
    hosp_lv        text,                        -- table hosp_lv, hospitals only
    level          text not null check (level in ('1', '2', '3')), -- for deductible and price limits
    traits         text[] not null default '{}',-- primary_care, children, essential_drugs ...
    agreement_no   text not null,
    agreement_from date not null,
    agreement_to   date not null,               -- half-open
    suspended_on   date,
    auth_scheme    text not null check (auth_scheme in ('none', 'api_hmac_sha1', 'tif_sha256')),
    access_key     text not null default '',
    secret         text not null default ''
);
create unique index institution_by_access_key on institutions.institution (access_key) where access_key <> '';
create table institutions.department (
    fixmedins_code text not null,
    dept_code      text not null,
    admdvs         text not null,
    name           text not null,
    caty           text not null,               -- table dept
    opened_on      date not null,
    closed_on      date,
    head_name      text not null,
    head_phone     text not null,
    beds           integer not null default 0,
    primary key (fixmedins_code, dept_code)
);
create table institutions.practitioner (
    fixmedins_code text not null,
    code           text not null,               -- D/N/... national code
    admdvs         text not null,
    name           text not null,
    kind           text not null,               -- table medins_psn_type
    cert_type      text not null,
    certno         text not null,
    dept_code      text not null,
    registered_on  date not null,
    left_on        date,
    primary key (fixmedins_code, code)
);
create table institutions.sign_in (
    sign_no        text primary key,
    fixmedins_code text not null,
    admdvs         text not null,
    opter          text not null,
    mac            text not null default '',
    ip             text not null default '',
    signed_in_at   timestamptz not null,
    signed_out_at  timestamptz
);
create table institutions.item_mapping (        -- 3301: the institution's own item to the national code
    fixmedins_code    text not null,
    medins_list_codg  text not null,
    list_type         text not null,
    admdvs            text not null,
    med_list_codg     text not null,
    name              text not null,
    valid_from        date not null,
    valid_to          date not null,
    detail            jsonb not null default '{}',
    updated_at        timestamptz not null,
    primary key (fixmedins_code, list_type, medins_list_codg)
);

-- ───────────────────────── catalogue (reference, no person) ─────────────────────────

create table catalogue.item (                   -- drugs, pieces, services, consumables
    code           text primary key,
    list_type      text not null,
    name           text not null,
    initials       text not null default '',    -- pinyin initials
    spec           text not null default '',
    dosage_form    text not null default '',
    unit           text not null default '',
    maker          text not null default '',
    approval_no    text not null default '',
    class_code     text not null default '',
    charge_type    text not null,               -- med_chrgitm_type
    origin         text not null check (origin in ('national', 'demo')),
    negotiated     boolean not null default false,
    valid_from     date not null,
    valid_to       date,
    version        text not null,
    detail         jsonb not null default '{}'
);
create table catalogue.term (                   -- how a region reimburses an item, and when
    admdvs         text not null,
    code           text not null,
    valid_from     date not null,
    valid_to       date,
    class_level    text not null check (class_level in ('01', '02', '03')),
    restricted     boolean not null default false,
    restriction    text not null default '',
    first_pay      integer check (first_pay between 0 and 10000),  -- ten-thousandths; null = the region's default
    source         text not null,
    assumed        boolean not null,            -- invented or assumed, said on every page
    primary key (admdvs, code, valid_from)
);
create table catalogue.price_limit (
    admdvs         text not null,
    code           text not null,
    level          text not null check (level in ('1', '2', '3')),
    valid_from     date not null,
    valid_to       date,
    limit_micro    bigint not null check (limit_micro >= 0),       -- millionths of a yuan
    source         text not null,
    assumed        boolean not null,
    primary key (admdvs, code, level, valid_from)
);
create table catalogue.diagnosis (
    code text primary key, name text not null, initials text not null default '',
    valid_from date not null, valid_to date, version text not null
);
create table catalogue.procedure (
    code text primary key, name text not null, initials text not null default '',
    valid_from date not null, valid_to date, version text not null
);
create table catalogue.chronic_disease (        -- 1309
    code text primary key, name text not null, kind text not null default '',
    valid_from date not null, valid_to date, version text not null
);
create table catalogue.tcm_class (              -- 1313-1315: only class-level rows are public
    code text primary key, name text not null, kind text not null check (kind in ('tumour', 'tcm_disease', 'tcm_syndrome')),
    version text not null
);
create table catalogue.loaded (                 -- what was loaded from which file
    part text primary key, rows bigint not null, digest text not null, source text not null,
    version text not null, loaded_at timestamptz not null
);

-- ───────────────────────── applications (filings) ─────────────────────────

create table applications.chronic_recognition (
    psn_no       text not null,
    disease_code text not null,
    valid_from   date not null,
    admdvs       text not null,
    disease_name text not null,
    valid_to     date,
    primary key (psn_no, disease_code, valid_from)
);

-- ───────────────────────── encounters ─────────────────────────

create table encounters.encounter (
    psn_no         text not null,
    mdtrt_id       text not null,
    admdvs         text not null,               -- insured region
    care_admdvs    text not null,               -- region of the institution
    fixmedins_code text not null,
    insutype       text not null,
    psn_type       text not null,
    ipt_otp_no     text not null,
    med_type       text not null default '',    -- set by 2203
    begin_at       timestamptz not null,
    cert_type      text not null,               -- mdtrt_cert_type
    cert_digest    bytea not null,              -- SM3 of the certificate shown, never the number
    atddr_no       text not null,
    dr_name        text not null,
    dept_code      text not null,
    dept_name      text not null,
    caty           text not null,
    disease_code   text not null default '',
    disease_name   text not null default '',
    condition      text not null default '',
    state          text not null check (state in ('registered', 'visited', 'cancelled')),
    opter          text not null,
    opter_name     text not null default '',
    registered_at  timestamptz not null,
    primary key (psn_no, mdtrt_id)
);
create unique index encounter_by_visit_no on encounters.encounter (fixmedins_code, ipt_otp_no) where state <> 'cancelled';
create index encounter_by_id on encounters.encounter (mdtrt_id);

create table encounters.diagnosis (
    psn_no      text not null,
    mdtrt_id    text not null,
    ordinal     integer not null,
    admdvs      text not null,
    kind        text not null,
    code        text not null,
    name        text not null,
    is_main     boolean not null,
    dept        text not null,
    doctor_code text not null,
    doctor_name text not null,
    at          timestamptz not null,
    primary key (psn_no, mdtrt_id, ordinal)
);

create table encounters.fee_line (
    psn_no           text not null,
    mdtrt_id         text not null,
    feedetl_sn       text not null,
    admdvs           text not null,
    chrg_bchno       text not null,
    disease_code     text not null default '',
    rxno             text not null default '',
    outside_rx       boolean not null default false,
    occurred_at      timestamptz not null,
    item_code        text not null,             -- med_list_codg
    local_code       text not null,             -- medins_list_codg
    item_name        text not null,
    list_type        text not null,
    charge_type      text not null,
    class_level      text not null,             -- 01, 02, 03 as of the day of service
    price_micro      bigint not null,
    quantity_e4      bigint not null,
    amount_fen       bigint not null,
    limit_micro      bigint,                    -- null: no price limit
    first_pay        integer not null,          -- ten-thousandths that applied
    own_fen          bigint not null,           -- fulamt_ownpay_amt
    over_fen         bigint not null,           -- overlmt_amt
    first_fen        bigint not null,           -- preselfpay_amt
    scope_fen        bigint not null,           -- inscp_scp_amt
    restricted       boolean not null,
    hosp_appr_flag   text not null,
    reason           text not null,             -- why the line fell out of scope, '' if it did not
    catalogue_version text not null,
    dept_code        text not null, dept_name text not null,
    doctor_code      text not null, doctor_name text not null,
    detail           jsonb not null default '{}', -- dosage, frequency, days, receiving department ...
    uploaded_at      timestamptz not null,
    primary key (psn_no, mdtrt_id, feedetl_sn),
    check (amount_fen = own_fen + over_fen + first_fen + scope_fen)
);

-- ───────────────────────── settlements and counters ─────────────────────────

create table settlements.settlement (
    psn_no         text not null,
    setl_id        text not null,
    admdvs         text not null,               -- insured region
    care_admdvs    text not null,
    mdtrt_id       text not null,
    chrg_bchno     text not null,
    fixmedins_code text not null,
    insutype       text not null,
    med_type       text not null,
    benefit        text not null,               -- benefit kind chosen by the policy
    year           integer not null,            -- benefit year
    service_on     date not null,
    settled_at     timestamptz not null,        -- posting time
    kind           text not null,               -- settlement, refund, reinstatement
    state          text not null,               -- active, reversed, closed
    origin_id      text,                        -- what a refund or reinstatement mirrors
    -- the head, fen; a refund carries the same amounts negated
    medfee_fen     bigint not null,
    own_fen        bigint not null,
    over_fen       bigint not null,
    first_fen      bigint not null,
    scope_fen      bigint not null,
    deductible_fen bigint not null,
    hifp_fen       bigint not null,
    cvlserv_fen    bigint not null,
    hifes_fen      bigint not null,
    hifmi_fen      bigint not null,
    hifob_fen      bigint not null,
    maf_fen        bigint not null,
    oth_fen        bigint not null,
    fund_fen       bigint not null,
    person_fen     bigint not null,             -- psn_part_amt
    account_fen    bigint not null,             -- acct_pay
    shared_fen     bigint not null,             -- acct_mulaid_pay
    cash_fen       bigint not null,
    hospital_fen   bigint not null,
    balance_fen    bigint not null,             -- own account after posting
    pool_ratio     integer not null,            -- pool_prop_selfpay, ten-thousandths
    fund_types     text[] not null,             -- payers beside cash, in wire codes ...
    fund_amounts   bigint[] not null,           -- ... and what each bore
    counter_codes  text[] not null,
    counter_deltas bigint[] not null,
    facts          bytea not null,              -- the Case that was decided, JSON, for replay (I9)
    policy_version text not null,
    account_use    text not null,               -- acct_used_flag
    cert_type      text not null,
    clr_type       text not null,
    clr_way        text not null,
    clr_optins     text not null,
    invono         text not null default '',
    sender         text not null,
    msgid          text not null,
    opter          text not null,
    opter_name     text not null default '',
    primary key (psn_no, setl_id)
);

-- What holds in every row (I1). One function and not a constraint each: the expression of a constraint is read anew
-- from its text by every statement that writes, a function is compiled once for a connection.
create function settlements.is_sound(s settlements.settlement) returns boolean language plpgsql immutable as $$
begin
    return s.kind in ('settlement', 'refund', 'reinstatement')
        and s.state in ('active', 'reversed', 'closed')
        and (s.kind = 'settlement') = (s.origin_id is null)
        and s.medfee_fen = s.own_fen + s.over_fen + s.first_fen + s.scope_fen
        and s.medfee_fen = s.fund_fen + s.person_fen + s.hospital_fen
        and s.fund_fen = s.hifp_fen + s.cvlserv_fen + s.hifes_fen + s.hifmi_fen + s.hifob_fen + s.maf_fen + s.oth_fen
        and s.person_fen = s.account_fen + s.cash_fen
        and s.shared_fen between least(s.account_fen, 0) and greatest(s.account_fen, 0)
        and (s.kind = 'refund' or least(s.medfee_fen, s.own_fen, s.over_fen, s.first_fen, s.scope_fen, s.fund_fen,
            s.account_fen, s.cash_fen, s.hospital_fen, s.deductible_fen) >= 0);
end $$;
alter table settlements.settlement add constraint settlement_is_sound check (settlements.is_sound(settlement));
create unique index settlement_once on settlements.settlement (psn_no, mdtrt_id, chrg_bchno)
    where kind = 'settlement' and state = 'active';
create index settlement_by_id on settlements.settlement (setl_id);
create index settlement_by_institution on settlements.settlement (fixmedins_code, settled_at);

create table settlements.counter (              -- used up in the benefit year, fen
    psn_no     text not null,
    year       integer not null,
    insutype   text not null,
    code       text not null,
    admdvs     text not null,
    used_fen   bigint not null check (used_fen >= 0),
    cap_fen    bigint,                          -- the cap in force at the last change, null = none
    primary key (psn_no, year, insutype, code),
    check (cap_fen is null or used_fen <= cap_fen)
);

-- ───────────────────────── ledger ─────────────────────────

create function ledger.total(amounts bigint[]) returns bigint language plpgsql immutable strict as $$
declare t bigint := 0; a bigint;
begin
    foreach a in array amounts loop t := t + a; end loop;
    return t;
end $$;

create table ledger.posting (                   -- one row per posting; its legs sum to zero
    psn_no     text not null,
    posting_id text not null,
    admdvs     text not null,
    kind       text not null check (kind in ('opening', 'credit', 'settlement', 'refund', 'reinstatement')),
    posted_at  timestamptz not null,
    setl_id    text,
    origin_id  text,                            -- posting that this one mirrors
    accounts   text[] not null,                 -- fund:370300:310100, account:<psn_no>, payable:<fixmedins_code> ...
    amounts    bigint[] not null,               -- + what an account receives, - what it gives
    cash_fen   bigint not null default 0,       -- memo: handed over at the till, outside the ledger
    primary key (psn_no, posting_id),
    check (cardinality(accounts) = cardinality(amounts)),
    check (ledger.total(amounts) = 0)
);
create table ledger.personal_account (
    psn_no      text primary key,
    admdvs      text not null,
    balance_fen bigint not null check (balance_fen >= 0),
    opened_on   date not null
);

-- ───────────────────────── access: staff who log in ─────────────────────────

create table access.staff (
    login          text primary key,
    fixmedins_code text not null,
    admdvs         text not null,
    name           text not null,
    password_hash  text not null,
    failed         integer not null default 0,
    locked_until   timestamptz,
    disabled       boolean not null default false
);
create table access.session (
    token_digest  bytea primary key,
    login         text not null,
    admdvs        text not null,
    created_at    timestamptz not null,
    seen_at       timestamptz not null,
    ended_at      timestamptz
);
