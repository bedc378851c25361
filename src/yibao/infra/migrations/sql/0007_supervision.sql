-- Rule hits before, during and after care, what institutions answer, appeals, and deductions.

create schema supervision;
grant usage on schema supervision to yibao_gateway, yibao_portal, yibao_worker;

create table supervision.analysis (             -- one person's bill held against the rules once
    psn_no         text not null,
    analysis_id    text not null,
    admdvs         text not null,
    fixmedins_code text not null,
    stage          text not null check (stage in ('before', 'during', 'after')),
    mdtrt_id       text not null,
    setl_id        text,                        -- after care only
    rules_version  text not null,               -- digest of the rule tables that judged
    charges        integer not null,
    at             timestamptz not null,
    opter          text not null,
    primary key (psn_no, analysis_id),
    check ((stage = 'after') = (setl_id is not null))
);
create unique index analysis_once on supervision.analysis (psn_no, setl_id, rules_version) where setl_id is not null;

create table supervision.hit (                  -- a warning before or during care, and what the doctor did with it
    psn_no         text not null,
    hit_id         text not null,               -- jr_id, warn_rslt_id
    admdvs         text not null,
    analysis_id    text not null,
    fixmedins_code text not null,
    stage          text not null check (stage in ('before', 'during')),
    mdtrt_id       text not null,
    rule_id        text not null,
    severity       text not null,
    amount_fen     bigint,                      -- null: the rule does not say how much
    reason         text not null,
    basis          text not null,
    lines          jsonb not null,              -- charges that break the rule and those it is about
    found_at       timestamptz not null,
    state          text not null default 'open' check (state in ('open', 'continued', 'revised')),
    answer         text not null default '',    -- why it was continued
    answered_at    timestamptz,
    answered_by    text not null default '',
    primary key (psn_no, hit_id),
    check ((state = 'open') = (answered_at is null)),
    check (state <> 'continued' or answer <> '')
);
create index hit_by_id on supervision.hit (fixmedins_code, hit_id);
create index hit_by_encounter on supervision.hit (psn_no, mdtrt_id);

create table supervision.document (             -- 单据: the suspicions of one settlement
    psn_no         text not null,
    document_id    text not null,
    admdvs         text not null,
    care_admdvs    text not null,
    fixmedins_code text not null,
    setl_id        text not null,
    mdtrt_id       text not null,
    analysis_id    text not null,
    found_at       timestamptz not null,
    appeal_until   date not null,               -- last day
    primary key (psn_no, document_id)
);
create index document_by_institution on supervision.document (fixmedins_code, found_at);
create index document_by_id on supervision.document (document_id);

create table supervision.suspicion (            -- 疑点: one rule that a settlement broke
    psn_no         text not null,
    suspicion_id   text not null,
    admdvs         text not null,
    document_id    text not null,
    fixmedins_code text not null,
    setl_id        text not null,
    mdtrt_id       text not null,
    rule_id        text not null,
    severity       text not null,
    reason         text not null,
    basis          text not null,
    override       text not null default '',    -- why the doctor went on when warned
    amount_fen     bigint not null check (amount_fen >= 0),     -- charged against the rule
    fund_fen       bigint not null check (fund_fen between 0 and amount_fen),  -- what the funds bore of it
    lines          jsonb not null,
    state          text not null check (state in ('found', 'appealed', 'accepted', 'upheld', 'dropped', 'collegial', 'closed', 'void')),
    appeal_fen     bigint,
    collegial_until date,                       -- last day, once upheld
    proposed_by    text,                        -- a decision that waits for the second person
    proposed_at    timestamptz,
    proposed_fen   bigint check (proposed_fen between 0 and fund_fen),
    proposed_why   text,
    deducted_fen   bigint not null default 0 check (deducted_fen between 0 and fund_fen),
    primary key (psn_no, suspicion_id),
    check ((proposed_by is null) = (proposed_fen is null)),
    check (deducted_fen = 0 or state in ('upheld', 'collegial', 'closed'))
);
create unique index suspicion_once on supervision.suspicion (psn_no, setl_id, rule_id);
create index suspicion_by_id on supervision.suspicion (suspicion_id);
create index suspicion_by_document on supervision.suspicion (psn_no, document_id);
create index suspicion_by_state on supervision.suspicion (admdvs, state);

create table supervision.step (                 -- everything that happened to a suspicion; only ever added to
    psn_no         text not null,
    suspicion_id   text not null,
    ordinal        integer not null,
    admdvs         text not null,
    what           text not null check (what in ('appealed', 'accepted', 'proposed', 'returned', 'upheld', 'dropped',
                                                 'collegial', 'waived', 'closed', 'void', 'reopened')),
    at             timestamptz not null,
    actor          text not null,
    side           text not null check (side in ('institution', 'agency')),
    amount_fen     bigint not null default 0,
    says           text not null default '',
    attachment_id  text,
    primary key (psn_no, suspicion_id, ordinal)
);

create table supervision.attachment (           -- 3704: one row per file
    fixmedins_code text not null,
    attachment_id  text not null,               -- attUploadId; several files may share it
    ordinal        integer not null,
    admdvs         text not null,
    name           text not null,
    content        bytea not null,
    digest         bytea not null,              -- SM3
    uploaded_at    timestamptz not null,
    opter          text not null,
    primary key (fixmedins_code, attachment_id, ordinal)
);

create table supervision.deduction (            -- what clearing takes from an institution, or gives back; never changed
    psn_no         text not null,
    deduction_id   text not null,
    admdvs         text not null,               -- whose fund
    care_admdvs    text not null,
    fixmedins_code text not null,
    setl_id        text not null,
    mdtrt_id       text not null,
    insutype       text not null,
    clr_type       text not null,
    clr_optins     text not null,
    kind           text not null check (kind in ('deduction', 'return')),
    amount_fen     bigint not null,             -- + taken, - given back
    origin_id      text,                        -- the deduction that a return gives back
    suspicion_id   text not null,
    rule_id        text not null,
    reason         text not null,
    decided_at     timestamptz not null,
    proposed_by    text not null,
    confirmed_by   text not null,
    primary key (psn_no, deduction_id),
    check ((kind = 'deduction' and amount_fen > 0 and origin_id is null)
        or (kind = 'return' and amount_fen < 0 and origin_id is not null)),
    check (proposed_by <> confirmed_by)         -- four eyes
);
create index deduction_by_institution on supervision.deduction (fixmedins_code, decided_at);
create index deduction_by_suspicion on supervision.deduction (psn_no, suspicion_id);
create index deduction_by_settlement on supervision.deduction (psn_no, setl_id);

grant select on all tables in schema supervision to yibao_gateway, yibao_portal;
grant insert on supervision.analysis, supervision.hit, supervision.step, supervision.attachment to yibao_gateway;
grant update (state, answer, answered_at, answered_by) on supervision.hit to yibao_gateway;
grant update (state, appeal_fen) on supervision.suspicion to yibao_gateway;
