-- Claims: care that somebody paid in full and asks the agency to reimburse on paper (手工、零星报销).
-- A claim is the content of a service application, which carries papers, review, limit and bank. What is paid is kept as a
-- settlement of the region's own desk (claims.desk), never of the institution that treated: no institution clears it,
-- undoes it or reconciles it. A bill of a live claim keeps the same care from being settled, and the reverse: who writes
-- either moves people.person.version.

create schema claims;
grant usage on schema claims to yibao_gateway, yibao_portal, yibao_worker, yibao_agency;

-- The desk that settles claims of a region; stands where a settlement names its institution.
create function claims.desk(p_admdvs text) returns text language sql immutable as $$ select 'JB' || p_admdvs || '0000' $$;
create function claims.is_desk(p_code text) returns boolean language sql immutable as $$ select starts_with(p_code, 'JB') $$;

create table claims.claim (
    psn_no         text not null,
    claim_id       text not null,
    admdvs         text not null,               -- insured region, which pays
    division       text not null default '',
    kind           text not null,               -- row of data/claims/kinds.csv
    application_id text not null,
    insutype       text not null,
    cause          text not null,               -- why by hand: window, network, unfiled, transit, late, credential, other
    plan           text not null default '',    -- window behind it, and its rule
    rule           text not null default '',
    payee_name     text not null,
    bank_name      text not null,
    bank_account   text not null,
    claim_by       date,                        -- last day by law, moved where a window moved it
    state          text not null check (state in ('entered', 'calculated', 'settled', 'released', 'reversed')),
    total_fen      bigint not null check (total_fen > 0),
    fund_fen       bigint not null default 0,   -- what is paid to the person
    cash_fen       bigint not null default 0,   -- what stays with the person
    detail         jsonb not null default 'null',  -- the calculated detail
    digest         bytea not null default '',   -- SM3 of what was reviewed
    warnings       text[] not null default '{}',
    appeal_of      text not null default '',    -- claim whose decision this one asks to be looked at again
    entered_by     text not null,
    entered_at     timestamptz not null,
    calculated_by  text not null default '',
    calculated_at  timestamptz,
    reviewed_by    text not null default '',
    settled_by     text not null default '',
    settled_at     timestamptz,
    payout_id      text not null default '',
    ended_by       text not null default '',
    ended_at       timestamptz,
    reason         text not null default '',    -- why it was released or reversed
    primary key (psn_no, claim_id),
    check (fund_fen >= 0 and cash_fen >= 0),
    check (state not in ('calculated', 'settled') or fund_fen + cash_fen = total_fen),
    check ((state in ('settled', 'reversed')) = (settled_at is not null)),
    check (state not in ('released', 'reversed') or (ended_at is not null and reason <> '')),
    -- Four eyes: who enters, calculates or reviews does not decide.
    check (settled_by = '' or settled_by not in (entered_by, calculated_by, reviewed_by))
);
create index claim_by_number on claims.claim (claim_id);
create index claim_by_application on claims.claim (application_id);
create index claim_by_state on claims.claim (admdvs, state, entered_at);
create unique index claim_appealed_once on claims.claim (psn_no, appeal_of) where appeal_of <> '';

create table claims.bill (
    psn_no           text not null,
    claim_id         text not null,
    ordinal          integer not null,
    admdvs           text not null,
    party            text not null,             -- fixmedins_code, or 'name:' and the name of who is outside
    fixmedins_code   text not null default '',  -- '' outside the platform
    institution_name text not null,
    level            text not null check (level in ('1', '2', '3')),
    kind             text not null check (kind in ('1', '2')),          -- hospital, pharmacy
    care_admdvs      text not null,
    traits           text[] not null default '{}',
    bill_no          text not null check (bill_no <> ''),               -- number of the receipt
    visit_no         text not null default '',  -- the institution's own outpatient or inpatient number
    mdtrt_id         text not null default '',  -- the institution's encounter here, where there is one
    care             text not null check (care in ('visit', 'stay', 'sale')),
    med_type         text not null,
    begin_at         timestamptz not null,
    end_at           timestamptz not null,
    total_fen        bigint not null check (total_fen > 0),
    disease_code     text not null default '',
    disease_name     text not null default '',
    remote           text not null default '',  -- how the law sees care elsewhere, '' at home
    remote_place     text not null default '',
    filing_ref       text not null default '',  -- what shows that it was filed
    rate             text not null default '' check (rate in ('', 'plain', 'networked')),  -- what a window promised
    maternity        text not null default '',
    pregnancy_months integer not null default 0,
    foetuses         integer not null default 1,
    is_accident      boolean not null default false,
    kept_id          text not null default '',  -- encounter under which the settlement keeps its lines
    setl_id          text not null default '',
    fund_fen         bigint not null default 0,
    is_live          boolean not null default true,
    primary key (psn_no, claim_id, ordinal),
    check (end_at >= begin_at),
    check ((kept_id = '') = (setl_id = ''))
);
create unique index bill_once on claims.bill (psn_no, party, bill_no) where is_live;
create index bill_by_number on claims.bill (party, bill_no);
create index bill_of_person on claims.bill (psn_no, fixmedins_code) where is_live;

create table claims.line (
    psn_no       text not null,
    claim_id     text not null,
    ordinal      integer not null,              -- of the bill
    line_no      integer not null,
    admdvs       text not null,
    occurred_on  date not null,
    item_code    text not null default '',      -- national code; '' not in the catalogue: own cost
    item_name    text not null,
    list_type    text not null default '',
    price_micro  bigint not null check (price_micro >= 0),
    quantity_e4  bigint not null check (quantity_e4 > 0),
    amount_fen   bigint not null check (amount_fen >= 0),
    approval     text not null default '0' check (approval in ('0', '1', '2')),
    primary key (psn_no, claim_id, ordinal, line_no)
);

create table claims.recovery (                  -- what somebody was paid and owes back
    psn_no       text not null,
    claim_id     text not null,
    admdvs       text not null,
    owed_fen     bigint not null check (owed_fen > 0),
    received_fen bigint not null default 0 check (received_fen between 0 and owed_fen),
    opened_at    timestamptz not null,
    closed_at    timestamptz,
    primary key (psn_no, claim_id),
    check ((closed_at is not null) = (received_fen = owed_fen))
);
create table claims.repayment (                 -- money that came back, by the bank's reference
    psn_no       text not null,
    claim_id     text not null,
    bank_ref     text not null,
    admdvs       text not null,
    amount_fen   bigint not null check (amount_fen > 0),
    received_at  timestamptz not null,
    told_by      text not null,
    primary key (psn_no, claim_id, bank_ref)
);
create unique index repayment_once on claims.repayment (admdvs, bank_ref);

-- Who somebody is on a day, for a bill that no encounter here holds; the same facts that a settlement is decided on.
-- p_first and p_last: first and last day of the care; p_at: the institution here, '' outside.
create function claims.person_facts(p_psn_no text, p_insutype text, p_at text, p_first date, p_last date)
returns table (
    admdvs text, version bigint, name text, sex text, birth_on date, died_on date, cert_type text,
    psn_type text, relation_status text, relation_reason text, account_kind text, civil_servant boolean,
    benefit_from date, benefit_to date, paid_months integer, identities text[], recognised text[], balance_fen bigint,
    counter_years integer[], counter_codes text[], counter_used bigint[], other_stay_years integer[],
    filed_choice_ordinals text[], filed_choice_codes text[], filed_choice_levels text[], filed_referred_from text,
    filed_injury_kinds text[], filed_injury_undertakings boolean[], filed_injury_approvals boolean[],
    filed_prenatal text[], filed_pregnancy_id text
) language sql stable as $$
    select r.admdvs, p.version, p.name, p.sex, p.birth_on, p.died_on, p.cert_type,
           r.psn_type, r.status, r.status_reason, r.account_kind, r.civil_servant, r.benefit_from, r.benefit_to,
           r.paid_months,
           array(select x.identity_type from enrolment.special_identity x
                 where x.psn_no = p_psn_no and x.valid_from <= p_last
                   and (x.valid_to is null or x.valid_to > p_last) order by x.identity_type),
           array(select x.disease_code from applications.chronic_recognition x
                 where x.psn_no = p_psn_no and x.valid_from <= p_last
                   and (x.valid_to is null or x.valid_to > p_last) order by x.disease_code),
           a.balance_fen, k.years, k.codes, k.used, o.years,
           f.filed_choice_ordinals, f.filed_choice_codes, f.filed_choice_levels, f.filed_referred_from,
           f.filed_injury_kinds, f.filed_injury_undertakings, f.filed_injury_approvals, f.filed_prenatal,
           f.filed_pregnancy_id
    from people.person p
    left join lateral (
        select x.admdvs, x.psn_type, x.status, x.status_reason, x.account_kind, x.civil_servant, x.benefit_from,
               x.benefit_to, x.paid_months
        from enrolment.relation x
        where x.psn_no = p_psn_no and x.insutype = p_insutype and x.insured_on <= p_last
        order by x.insured_on desc limit 1) r on true
    left join ledger.personal_account a on a.psn_no = p_psn_no
    cross join lateral applications.filing_facts(p_psn_no, p_at, p_insutype, p_first, p_last) f
    cross join lateral (
        select array_agg(x.year) as years, array_agg(x.code) as codes, array_agg(x.used_fen) as used
        from settlements.counter x where x.psn_no = p_psn_no and x.insutype = p_insutype
          and x.year in (0, extract(year from p_first)::integer, extract(year from p_last)::integer)) k
    cross join lateral (
        select array_agg(z.year) as years from (
            select distinct y.mdtrt_id, y.year
            from settlements.stay_settlement x
            join settlements.settlement y on y.psn_no = x.psn_no and y.setl_id = x.setl_id and y.state = 'active'
            where x.psn_no = p_psn_no and y.insutype = p_insutype and y.scope_fen > 0) z) o
    where p.psn_no = p_psn_no
$$;

-- What keeps a bill from being settled at the institution; 0023 made it empty.
create or replace view backfill.claimed_bill with (security_invoker = true) as
    select psn_no, fixmedins_code, mdtrt_id, visit_no, bill_no, claim_id from claims.bill where is_live;

grant select on all tables in schema claims to yibao_gateway, yibao_portal, yibao_worker, yibao_agency;
grant insert, update on claims.claim, claims.bill, claims.recovery to yibao_agency;
grant insert, delete on claims.line to yibao_agency;
grant insert on claims.repayment to yibao_agency;
-- What settling a claim writes, by the API as by the command line.
grant insert on encounters.encounter, encounters.stay, encounters.fee_line, encounters.diagnosis, settlements.settlement,
    settlements.stay_settlement, settlements.counter, platform.policy_version to yibao_agency;
grant update on settlements.counter, encounters.stay, encounters.encounter to yibao_agency;
grant update (state) on settlements.settlement to yibao_agency;
grant execute on all functions in schema claims, applications to yibao_gateway, yibao_portal, yibao_worker, yibao_agency;
