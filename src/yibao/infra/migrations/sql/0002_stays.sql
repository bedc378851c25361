-- Stays: admission, periods, discharge; facts and writes of their settlements. A stay is an encounter with a row in
-- encounters.stay. Its fee lines are kept in periods (chrg_bchno holds the number); a settlement covers whole periods.

-- ───────────────────────── encounters ─────────────────────────

alter table encounters.encounter drop constraint encounter_state_check;
alter table encounters.encounter add constraint encounter_state_check
    check (state in ('registered', 'visited', 'admitted', 'discharged', 'cancelled'));
alter table encounters.encounter
    add column maternity        text not null default '',  -- word of the law: birth, caesarean, prenatal ...
    add column pregnancy_months integer not null default 0,
    add column foetuses         integer not null default 1,
    add column exp_content      text not null default '';  -- as sent: trauma flags stand here
-- A person lies in one bed at a time, wherever.
create unique index encounter_one_open_stay on encounters.encounter (psn_no) where state = 'admitted';
alter table encounters.diagnosis add column adm_cond text not null default '';
alter table encounters.fee_line
    add column init_sn    text not null default '',        -- on a return: the line that it returns
    add column line_group text not null default '';        -- negotiated, special_drug ...: the law may treat them apart

create table encounters.stay (
    psn_no         text not null,
    mdtrt_id       text not null,
    admdvs         text not null,
    fixmedins_code text not null,
    open_period    integer not null default 1,             -- fee lines now come into this one
    admitted_at    timestamptz not null,
    discharged_at  timestamptz,
    discharge_way  text not null default '',               -- dscg_way
    died_on        date,
    diagnosis_code text not null,                          -- dscg_maindiag_code
    diagnosis_name text not null,
    dept_code      text not null,
    dept_name      text not null,
    bed            text not null default '',
    operation_code text not null default '',
    operation_name text not null default '',
    detail         jsonb not null default '{}',            -- contact, record number, maternity fields as sent ...
    changed_at     timestamptz not null,
    primary key (psn_no, mdtrt_id),
    check (discharged_at is null or discharged_at >= admitted_at)
);
create index stay_by_institution on encounters.stay (fixmedins_code, admitted_at);
create table encounters.stay_flag (                        -- 2406: special flags of somebody in hospital
    psn_no         text not null,
    flag_id        text not null,
    mdtrt_id       text not null,
    admdvs         text not null,
    fixmedins_code text not null,
    flag_type      text not null,
    flag           text not null,
    memo           text not null default '',
    registered_at  timestamptz not null,
    opter          text not null,
    primary key (psn_no, flag_id)
);

-- ───────────────────────── settlements ─────────────────────────

create table settlements.stay_settlement (                 -- what a settlement of a stay covers
    psn_no      text not null,
    setl_id     text not null,
    admdvs      text not null,
    mdtrt_id    text not null,
    period_from integer not null,
    period_to   integer not null,                          -- inclusive
    is_interim  boolean not null,
    begin_on    date not null,
    end_on      date not null,
    admission   integer not null,                          -- which stay of its year this was taken for
    primary key (psn_no, setl_id),
    check (period_from between 1 and period_to and begin_on <= end_on and admission >= 1)
);
create index stay_settlement_by_stay on settlements.stay_settlement (psn_no, mdtrt_id);
create view settlements.stay_in_force with (security_invoker = true) as
    select c.* from settlements.stay_settlement c
    join settlements.settlement s on s.psn_no = c.psn_no and s.setl_id = c.setl_id and s.state = 'active';

-- The period that a fee line of a stay was charged in; null for what is no number (a visit's batch may be any text).
create function settlements.period_of(p_batch text) returns integer language sql immutable as $$
    select case when p_batch ~ '^[0-9]{1,9}$' then p_batch::integer end
$$;
-- The fee lines that a settlement covers; a refund or a reinstatement covers those of what it mirrors.
create function settlements.lines_of(p_psn_no text, p_setl_id text) returns setof encounters.fee_line
language sql stable as $$
    select l.*
    from settlements.settlement s
    left join settlements.settlement o on o.psn_no = s.psn_no and o.setl_id = s.origin_id
    left join settlements.stay_settlement c on c.psn_no = s.psn_no and c.setl_id in (s.setl_id, s.origin_id, o.origin_id)
    join encounters.fee_line l on l.psn_no = s.psn_no and l.mdtrt_id = s.mdtrt_id
        and case when c.setl_id is null then l.chrg_bchno = s.chrg_bchno
                 else settlements.period_of(l.chrg_bchno) between c.period_from and c.period_to end
    where s.psn_no = p_psn_no and s.setl_id = p_setl_id
$$;
-- Whether a settlement in force covers a charge batch of a visit or a period of a stay.
create function settlements.is_covered(p_psn_no text, p_mdtrt_id text, p_batch text) returns boolean
language sql stable as $$
    select exists (select from settlements.settlement s
                   where s.psn_no = p_psn_no and s.mdtrt_id = p_mdtrt_id and s.chrg_bchno = p_batch
                     and s.kind = 'settlement' and s.state = 'active')
        or exists (select from settlements.stay_in_force c
                   where c.psn_no = p_psn_no and c.mdtrt_id = p_mdtrt_id
                     and settlements.period_of(p_batch) between c.period_from and c.period_to)
$$;

grant select, insert, update on encounters.stay to yibao_gateway;
grant select, insert on encounters.stay_flag, settlements.stay_settlement to yibao_gateway;
grant update on encounters.diagnosis to yibao_gateway;
grant select on encounters.stay, encounters.stay_flag, settlements.stay_settlement, settlements.stay_in_force
    to yibao_portal;
grant select on settlements.stay_in_force to yibao_gateway;

-- The facts rest on filings too, whose tables the next revision makes: bodies are checked when they run.
set local check_function_bodies = off;

-- ───────────────────────── facts of a visit's charge batch, with filings and line groups ─────────────────────────

alter type settlements.facts
    add attribute maternity text, add attribute pregnancy_months integer, add attribute foetuses integer,
    add attribute exp_content text,
    add attribute filed_choice_ordinals text[], add attribute filed_choice_codes text[],
    add attribute filed_choice_levels text[], add attribute filed_referred_from text,
    add attribute filed_injury_kinds text[], add attribute filed_injury_undertakings boolean[],
    add attribute filed_injury_approvals boolean[], add attribute filed_prenatal text[],
    add attribute filed_pregnancy_id text,
    add attribute groups text[], add attribute group_amounts bigint[], add attribute has_filings boolean;

create or replace function settlements.case_facts(p_psn_no text, p_mdtrt_id text, p_batch text)
returns setof settlements.facts language sql stable as $$
    select e.admdvs, e.care_admdvs, e.fixmedins_code, e.insutype, e.med_type, e.state, e.begin_at, e.disease_code,
           e.disease_name,
           p.name, p.cert_type, p.certno, p.sex, p.nation, p.birth_on, p.died_on, p.version, d.service_on,
           r.psn_type, r.status, r.status_reason, r.account_kind, r.civil_servant, r.benefit_from, r.benefit_to,
           r.paid_months,
           array(select x.identity_type from enrolment.special_identity x
                 where x.psn_no = p_psn_no and x.valid_from <= d.service_on
                   and (x.valid_to is null or x.valid_to > d.service_on) order by x.identity_type),
           array(select x.disease_code from applications.chronic_recognition x
                 where x.psn_no = p_psn_no and x.valid_from <= d.service_on
                   and (x.valid_to is null or x.valid_to > d.service_on) order by x.disease_code),
           a.balance_fen, k.codes, k.used, t.level, t.kind, t.traits, l.n, l.amount, l.own, l.over, l.first, l.scope,
           (select s.setl_id from settlements.settlement s
             where s.psn_no = p_psn_no and s.mdtrt_id = p_mdtrt_id and s.chrg_bchno = p_batch
               and s.kind = 'settlement' and s.state = 'active'),
           e.maternity, e.pregnancy_months, e.foetuses, e.exp_content,
           f.filed_choice_ordinals, f.filed_choice_codes, f.filed_choice_levels, f.filed_referred_from, f.filed_injury_kinds,
           f.filed_injury_undertakings, f.filed_injury_approvals, f.filed_prenatal, f.filed_pregnancy_id,
           l.groups, l.group_amounts, true
    from encounters.encounter e
    join people.person p on p.psn_no = e.psn_no
    join institutions.institution t on t.fixmedins_code = e.fixmedins_code
    -- Business time: the day of service is the visit's day in China.
    cross join lateral (select (e.begin_at at time zone 'Asia/Shanghai')::date as service_on) d
    left join lateral (
        select x.psn_type, x.status, x.status_reason, x.account_kind, x.civil_servant, x.benefit_from, x.benefit_to,
               x.paid_months
        from enrolment.relation x
        where x.psn_no = p_psn_no and x.insutype = e.insutype and x.insured_on <= d.service_on
        order by x.insured_on desc limit 1) r on true
    left join ledger.personal_account a on a.psn_no = p_psn_no
    cross join lateral applications.filing_facts(p_psn_no, e.fixmedins_code, e.insutype, d.service_on) f
    -- Windows that outlive a year (a pregnancy) are counted under year 0.
    cross join lateral (
        select array_agg(x.code) as codes, array_agg(x.used_fen) as used
        from settlements.counter x
        where x.psn_no = p_psn_no and x.year in (0, extract(year from d.service_on)::integer)
          and x.insutype = e.insutype) k
    -- Lines of a group come one by one: they are few, and the others stay one sum.
    cross join lateral (
        select count(*) as n, sum(x.amount_fen)::bigint as amount, sum(x.own_fen)::bigint as own,
               sum(x.over_fen)::bigint as over, sum(x.first_fen)::bigint as first, sum(x.scope_fen)::bigint as scope,
               array_agg(x.line_group) filter (where x.line_group <> '') as groups,
               array_agg(array[x.amount_fen, x.own_fen, x.over_fen, x.first_fen, x.scope_fen])
                   filter (where x.line_group <> '') as group_amounts
        from encounters.fee_line x
        where x.psn_no = p_psn_no and x.mdtrt_id = p_mdtrt_id and x.chrg_bchno = p_batch) l
    where e.psn_no = p_psn_no and e.mdtrt_id = p_mdtrt_id
$$;

-- The same without filings, for visits about which no law asks for one: four look-ups less.
do $$
declare v_whole text := pg_get_functiondef('settlements.case_facts(text,text,text)'::regprocedure);
        v_plain text;
begin
    v_plain := replace(v_whole, 'settlements.case_facts', 'settlements.plain_facts');
    v_plain := replace(v_plain, 'l.group_amounts, true', 'l.group_amounts, false');
    v_plain := replace(v_plain,
        'cross join lateral applications.filing_facts(p_psn_no, e.fixmedins_code, e.insutype, d.service_on) f',
        'cross join (select null::text[] as filed_choice_ordinals, null::text[] as filed_choice_codes,
            null::text[] as filed_choice_levels, null::text as filed_referred_from, null::text[] as filed_injury_kinds,
            null::boolean[] as filed_injury_undertakings, null::boolean[] as filed_injury_approvals,
            null::text[] as filed_prenatal, null::text as filed_pregnancy_id) f');
    if length(v_plain) - length(v_whole) < 200 then raise exception 'case_facts is not what it was'; end if;
    execute v_plain;
end $$;

-- ───────────────────────── facts of a stay ─────────────────────────

-- Everything a settlement of a stay is decided on: all lines that no settlement in force covers.
create type settlements.stay_facts as (
    admdvs text, care_admdvs text, fixmedins_code text, insutype text, med_type text, stay_state text,
    disease_code text, disease_name text,
    name text, cert_type text, certno text, sex text, nation text, birth_on date, died_on date, version bigint,
    admitted_on date, discharged_on date, end_on date, first_line_on date, last_line_on date,
    psn_type text, relation_status text, relation_reason text, account_kind text, civil_servant boolean,
    benefit_from date, benefit_to date, paid_months integer, identities text[], recognised text[], balance_fen bigint,
    counter_years integer[], counter_codes text[], counter_used bigint[],
    level text, kind text, traits text[],
    lines bigint, amount_fen bigint, own_fen bigint, over_fen bigint, first_fen bigint, scope_fen bigint,
    groups text[], group_amounts bigint[],
    period_from integer, period_to integer, is_interim boolean, final_id text, last_interim_id text,
    admission integer, other_stay_years integer[],
    maternity text, pregnancy_months integer, foetuses integer, exp_content text,
    filed_choice_ordinals text[], filed_choice_codes text[], filed_choice_levels text[], filed_referred_from text,
    filed_injury_kinds text[], filed_injury_undertakings boolean[], filed_injury_approvals boolean[],
    filed_prenatal text[], filed_pregnancy_id text
);

-- Gather the facts of a stay: one row, or none when there is no such stay. end_on is the last day that is settled: the
-- day of discharge, or of the last line where a stay goes on (p_interim). Who somebody is, is looked at on that day.
create function settlements.facts_of_stay(p_psn_no text, p_mdtrt_id text, p_interim boolean)
returns setof settlements.stay_facts language sql stable as $$
    select e.admdvs, e.care_admdvs, e.fixmedins_code, e.insutype, e.med_type, e.state, e.disease_code, e.disease_name,
           p.name, p.cert_type, p.certno, p.sex, p.nation, p.birth_on, p.died_on, p.version,
           d.admitted_on, d.discharged_on, d.end_on, l.first_on, l.last_on,
           r.psn_type, r.status, r.status_reason, r.account_kind, r.civil_servant, r.benefit_from, r.benefit_to,
           r.paid_months,
           array(select x.identity_type from enrolment.special_identity x
                 where x.psn_no = p_psn_no and x.valid_from <= d.end_on
                   and (x.valid_to is null or x.valid_to > d.end_on) order by x.identity_type),
           array(select x.disease_code from applications.chronic_recognition x
                 where x.psn_no = p_psn_no and x.valid_from <= d.end_on
                   and (x.valid_to is null or x.valid_to > d.end_on) order by x.disease_code),
           a.balance_fen, k.years, k.codes, k.used, t.level, t.kind, t.traits,
           l.n, l.amount, l.own, l.over, l.first, l.scope, l.groups, l.group_amounts,
           c.covered + 1, s.open_period, p_interim, c.final_id, c.last_interim_id, c.admission, o.years,
           e.maternity, e.pregnancy_months, e.foetuses, e.exp_content,
           f.filed_choice_ordinals, f.filed_choice_codes, f.filed_choice_levels, f.filed_referred_from,
           f.filed_injury_kinds, f.filed_injury_undertakings, f.filed_injury_approvals, f.filed_prenatal,
           f.filed_pregnancy_id
    from encounters.encounter e
    join encounters.stay s on s.psn_no = e.psn_no and s.mdtrt_id = e.mdtrt_id
    join people.person p on p.psn_no = e.psn_no
    join institutions.institution t on t.fixmedins_code = e.fixmedins_code
    cross join lateral (
        select coalesce(max(x.period_to), 0) as covered, max(x.setl_id) filter (where not x.is_interim) as final_id,
               max(x.setl_id) filter (where x.is_interim) as last_interim_id, min(x.admission) as admission
        from settlements.stay_in_force x
        where x.psn_no = p_psn_no and x.mdtrt_id = p_mdtrt_id) c
    cross join lateral (
        select count(*) as n, sum(x.amount_fen)::bigint as amount, sum(x.own_fen)::bigint as own,
               sum(x.over_fen)::bigint as over, sum(x.first_fen)::bigint as first, sum(x.scope_fen)::bigint as scope,
               array_agg(x.line_group) filter (where x.line_group <> '') as groups,
               array_agg(array[x.amount_fen, x.own_fen, x.over_fen, x.first_fen, x.scope_fen])
                   filter (where x.line_group <> '') as group_amounts,
               (min(x.occurred_at) at time zone 'Asia/Shanghai')::date as first_on,
               (max(x.occurred_at) at time zone 'Asia/Shanghai')::date as last_on
        from encounters.fee_line x
        where x.psn_no = p_psn_no and x.mdtrt_id = p_mdtrt_id and settlements.period_of(x.chrg_bchno) > c.covered) l
    cross join lateral (
        select z.admitted_on, z.discharged_on,
               case when p_interim then coalesce(l.last_on, z.admitted_on)
                    else coalesce(z.discharged_on, l.last_on, z.admitted_on) end as end_on
        from (select (s.admitted_at at time zone 'Asia/Shanghai')::date as admitted_on,
                     (s.discharged_at at time zone 'Asia/Shanghai')::date as discharged_on) z) d
    left join lateral (
        select x.psn_type, x.status, x.status_reason, x.account_kind, x.civil_servant, x.benefit_from, x.benefit_to,
               x.paid_months
        from enrolment.relation x
        where x.psn_no = p_psn_no and x.insutype = e.insutype and x.insured_on <= d.end_on
        order by x.insured_on desc limit 1) r on true
    left join ledger.personal_account a on a.psn_no = p_psn_no
    -- Referral and pregnancy count as of the day of admission, an injury if it is filed for any day of the stay.
    cross join lateral applications.filing_facts(p_psn_no, e.fixmedins_code, e.insutype, d.admitted_on, d.end_on) f
    -- Whether the year of the costs or of the discharge counts is for the law to say: both are read.
    cross join lateral (
        select array_agg(x.year) as years, array_agg(x.code) as codes, array_agg(x.used_fen) as used
        from settlements.counter x
        where x.psn_no = p_psn_no and x.insutype = e.insutype
          and x.year in (0, extract(year from coalesce(l.last_on, d.end_on))::integer, extract(year from d.end_on)::integer)) k
    cross join lateral (
        select array_agg(z.year) as years from (
            select distinct y.mdtrt_id, y.year
            from settlements.stay_settlement x
            join settlements.settlement y on y.psn_no = x.psn_no and y.setl_id = x.setl_id and y.state = 'active'
            -- A stay of which nothing was in scope bore no deductible: it makes no later one cheaper.
            where x.psn_no = p_psn_no and x.mdtrt_id <> p_mdtrt_id and y.insutype = e.insutype and y.scope_fen > 0) z) o
    where e.psn_no = p_psn_no and e.mdtrt_id = p_mdtrt_id
$$;

-- As settlements.take_turn, with the facts of a stay.
create function settlements.take_turn_for_stay(
    p_sender text, p_msgid text, p_psn_no text, p_mdtrt_id text, p_interim boolean,
    out stored_state text, out stored_infno text, out stored_digest bytea, out stored_reply bytea,
    out facts settlements.stay_facts
) language plpgsql as $$
begin
    perform pg_advisory_lock(settlements.turn_of(p_psn_no));
    select m.state, m.infno, m.request_digest, m.reply
        into stored_state, stored_infno, stored_digest, stored_reply
        from platform.message m where m.sender = p_sender and m.msgid = p_msgid;
    if stored_state is null then
        select f.* into facts from settlements.facts_of_stay(p_psn_no, p_mdtrt_id, p_interim) f;
        if not found then facts := null; end if;
    end if;
end $$;

-- ───────────────────────── the write ─────────────────────────

-- As in 0001, except that a counter of a window that outlives a year (its code has a #) stands under year 0.
create or replace function settlements.write(
    p_settlement settlements.settlement, p_posting ledger.posting, p_counter_used bigint[], p_counter_caps bigint[],
    p_account_delta bigint, p_version bigint, p_in_turn boolean,
    p_origin_state text, p_grand_state text,
    p_message platform.message, p_audit_actor text, p_audit_verb text, p_audit_digest bytea
) returns void language plpgsql as $$
declare v_updated integer; v_has_turn boolean;
begin
    if p_version is not null then
        v_has_turn := pg_try_advisory_xact_lock(settlements.turn_of(p_settlement.psn_no));
        if not v_has_turn then raise exception 'somebody else has the turn' using errcode = 'YB001'; end if;
        -- The turn now ends with this transaction and not with the session.
        if p_in_turn then v_has_turn := pg_advisory_unlock(settlements.turn_of(p_settlement.psn_no)); end if;
    end if;
    -- The person first: who waits for the person must not hold a message id that another one waits for.
    update people.person p set version = p.version + 1
        where p.psn_no = p_settlement.psn_no and (p_version is null or p.version = p_version);
    get diagnostics v_updated = row_count;
    if v_updated <> 1 then raise exception 'the person has moved on' using errcode = 'YB001'; end if;
    insert into platform.message select (p_message).*;
    insert into settlements.settlement select (p_settlement).*;
    insert into ledger.posting select (p_posting).*;
    if cardinality(p_settlement.counter_codes) > 0 then
        insert into settlements.counter as c (psn_no, year, insutype, code, admdvs, used_fen, cap_fen)
            select p_settlement.psn_no, case when strpos(x.code, '#') > 0 then 0 else p_settlement.year end,
                   p_settlement.insutype, x.code, p_settlement.admdvs, x.used, x.cap
            from unnest(p_settlement.counter_codes, p_counter_used, p_counter_caps) x(code, used, cap)
            on conflict (psn_no, year, insutype, code) do update
                set used_fen = excluded.used_fen, cap_fen = excluded.cap_fen;
    end if;
    if p_account_delta <> 0 then
        update ledger.personal_account a set balance_fen = a.balance_fen + p_account_delta
            where a.psn_no = p_settlement.psn_no;
        get diagnostics v_updated = row_count;
        if v_updated <> 1 then raise exception 'no personal account to post to'; end if;
    end if;
    if p_origin_state is not null then
        update settlements.settlement s set state = p_origin_state
            where s.psn_no = p_settlement.psn_no and s.setl_id = p_settlement.origin_id and s.state = 'active';
        get diagnostics v_updated = row_count;
        if v_updated <> 1 then raise exception 'the settlement to reverse is not active'; end if;
    end if;
    if p_grand_state is not null then
        -- A reinstatement mirrors a refund; the settlement that the refund had reversed is valid again.
        update settlements.settlement s set state = p_grand_state
            from settlements.settlement r
            where r.psn_no = p_settlement.psn_no and r.setl_id = p_settlement.origin_id
              and s.psn_no = r.psn_no and s.setl_id = r.origin_id and s.state = 'reversed';
        get diagnostics v_updated = row_count;
        if v_updated <> 1 then raise exception 'the settlement to reinstate is not reversed'; end if;
    end if;
    insert into platform.audit_entry (id, at, actor, sender, channel, verb, object, admdvs, rule, digest)
        values (p_settlement.setl_id, p_settlement.settled_at, p_audit_actor, p_settlement.sender, 'gateway', p_audit_verb,
                p_settlement.setl_id, p_settlement.admdvs, p_settlement.policy_version, p_audit_digest);
end $$;

-- settlements.write, and beside it what the settlement covers; fee lines now come into the next period.
create function settlements.write_stay(
    p_settlement settlements.settlement, p_posting ledger.posting, p_counter_used bigint[], p_counter_caps bigint[],
    p_account_delta bigint, p_version bigint, p_in_turn boolean,
    p_origin_state text, p_grand_state text,
    p_message platform.message, p_audit_actor text, p_audit_verb text, p_audit_digest bytea,
    p_covers settlements.stay_settlement
) returns void language plpgsql as $$
declare v_updated integer;
begin
    perform settlements.write(p_settlement, p_posting, p_counter_used, p_counter_caps, p_account_delta, p_version,
        p_in_turn, p_origin_state, p_grand_state, p_message, p_audit_actor, p_audit_verb, p_audit_digest);
    insert into settlements.stay_settlement select (p_covers).*;
    update encounters.stay s set open_period = greatest(s.open_period, p_covers.period_to + 1)
        where s.psn_no = p_covers.psn_no and s.mdtrt_id = p_covers.mdtrt_id;
    get diagnostics v_updated = row_count;
    if v_updated <> 1 then raise exception 'no stay to settle'; end if;
end $$;

-- ───────────────────────── reversals ─────────────────────────

-- What a reversal of one record is decided on. Nothing but the person's turn is held meanwhile: the write holds only if
-- the version has not moved. sums: what the fee lines that it covers add up to now (amount, own, over, first, scope).
create type settlements.reversal as (
    settlement settlements.settlement, posting ledger.posting, version bigint, balance_fen bigint, origin_state text,
    counter_codes text[], counter_used bigint[], counter_caps bigint[], dependents text[],
    batch_taken boolean, resettled_id text, is_stay boolean, is_interim boolean, stay_state text, stay_end_on date,
    end_on date, later_of_stay text, sums bigint[], lines_beyond bigint,
    name text, cert_type text, certno text, sex text, nation text, birth_on date
);
create function settlements.reversal_facts(p_psn_no text, p_setl_id text)
returns setof settlements.reversal language sql stable as $$
    select s, p, n.version, a.balance_fen, o.state, k.codes, k.used, k.caps,
           (select array_agg(x.setl_id order by x.settled_at, x.setl_id) from settlements.settlement x
             where x.psn_no = p_psn_no and x.insutype = s.insutype and x.kind = 'settlement' and x.state = 'active'
               and x.setl_id <> p_setl_id and (x.settled_at, x.setl_id) > (s.settled_at, s.setl_id)
               -- A counter with a # outlives the year; the others, and the number of a stay, are of one.
               -- Where it changed nothing itself, nobody rests on it.
               and (x.counter_codes && array(select q from unnest(s.counter_codes, s.counter_deltas) u(q, d)
                                             where d <> 0 and strpos(q, '#') > 0)
                    or x.year = s.year and (
                        x.counter_codes && array(select q from unnest(s.counter_codes, s.counter_deltas) u(q, d)
                                                 where d <> 0)
                        or c.setl_id is not null and exists (
                            select from settlements.stay_settlement y where y.psn_no = p_psn_no and y.setl_id = x.setl_id)))),
           case when c.setl_id is null
                then exists (select from settlements.settlement x where x.psn_no = p_psn_no and x.mdtrt_id = s.mdtrt_id
                             and x.chrg_bchno = s.chrg_bchno and x.kind = 'settlement' and x.state = 'active')
                else exists (select from settlements.stay_settlement y
                             join settlements.settlement x on x.psn_no = y.psn_no and x.setl_id = y.setl_id
                             where y.psn_no = p_psn_no and y.mdtrt_id = s.mdtrt_id and x.state = 'active'
                               and y.period_to >= c.period_from) end,
           -- What the agency has settled anew in the institution's stead.
           (select x.setl_id from settlements.settlement x where x.psn_no = p_psn_no and x.mdtrt_id = s.mdtrt_id
               and x.chrg_bchno = s.chrg_bchno and x.kind = 'settlement' and x.state = 'active'
               and x.sender <> x.fixmedins_code),
           c.setl_id is not null, c.is_interim, e.state, (v.discharged_at at time zone 'Asia/Shanghai')::date, c.end_on,
           (select max(y.setl_id) from settlements.stay_settlement y
             join settlements.settlement x on x.psn_no = y.psn_no and x.setl_id = y.setl_id
             where y.psn_no = p_psn_no and y.mdtrt_id = s.mdtrt_id and x.state = 'active' and y.period_from > c.period_to),
           (select array[sum(l.amount_fen), sum(l.own_fen), sum(l.over_fen), sum(l.first_fen), sum(l.scope_fen)]::bigint[]
             from encounters.fee_line l
             where s.kind = 'refund' and l.psn_no = p_psn_no and l.mdtrt_id = s.mdtrt_id
               and case when c.setl_id is null then l.chrg_bchno = s.chrg_bchno
                        else settlements.period_of(l.chrg_bchno) between c.period_from and c.period_to end),
           (select count(*) from encounters.fee_line l
             where c.setl_id is not null and l.psn_no = p_psn_no and l.mdtrt_id = s.mdtrt_id
               and case when c.setl_id is not null then settlements.period_of(l.chrg_bchno) > c.period_to end),
           n.name, n.cert_type, n.certno, n.sex, n.nation, n.birth_on
    from settlements.settlement s
    join ledger.posting p on p.psn_no = s.psn_no and p.posting_id = s.setl_id
    join people.person n on n.psn_no = s.psn_no
    left join settlements.settlement o on o.psn_no = s.psn_no and o.setl_id = s.origin_id
    left join ledger.personal_account a on a.psn_no = s.psn_no
    left join encounters.encounter e on e.psn_no = s.psn_no and e.mdtrt_id = s.mdtrt_id
    left join encounters.stay v on v.psn_no = s.psn_no and v.mdtrt_id = s.mdtrt_id
    left join settlements.stay_settlement c on c.psn_no = s.psn_no and c.setl_id = coalesce(s.origin_id, s.setl_id)
    left join lateral (
        select array_agg(x.code order by x.code) as codes, array_agg(x.used_fen order by x.code) as used,
               array_agg(x.cap_fen order by x.code) as caps
        from settlements.counter x
        where x.psn_no = p_psn_no and x.year in (0, s.year) and x.insutype = s.insutype) k on true
    where s.psn_no = p_psn_no and s.setl_id = p_setl_id
$$;

-- Gather what a reversal is decided on, in the person's turn. The record is named either by its id (2208, 2305, 2103) or
-- by the message that made it (2601, p_original). undoes is null when there is nothing of that name; original_mdtrt_id
-- then says whether the message opened a stay.
drop function settlements.open_reversal(text, text, text, text, text);
create function settlements.open_reversal(
    p_sender text, p_msgid text, p_psn_no text, p_setl_id text, p_original text,
    out stored_state text, out stored_infno text, out stored_digest bytea, out stored_reply bytea,
    out original_state text, out original_infno text, out original_psn_no text, out original_mdtrt_id text,
    out undoes settlements.reversal
) language plpgsql as $$
declare r record; v_is_locked boolean;
begin
    -- Locks are taken in expressions, which are no statements of their own, and before anything is read: a message still
    -- on its way holds its lock until it is committed, and we wait for it.
    v_is_locked := pg_advisory_xact_lock(hashtextextended(p_sender || '/' || p_msgid, 0)) is null;
    if p_original is not null then
        v_is_locked := pg_advisory_xact_lock(hashtextextended(p_sender || '/' || p_original, 0)) is null;
    end if;
    v_is_locked := pg_advisory_xact_lock(settlements.turn_of(p_psn_no)) is null;
    select m.state, m.infno, m.request_digest, m.reply,
           o.state as o_state, o.infno as o_infno, o.psn_no as o_psn_no, o.mdtrt_id as o_mdtrt_id, f as undoes
        into r
        from (select) one
        left join platform.message m on m.sender = p_sender and m.msgid = p_msgid
        left join platform.message o on o.sender = p_sender and o.msgid = p_original
        -- Of another person's message nothing is read: its turn is not ours.
        left join lateral settlements.reversal_facts(p_psn_no, coalesce(p_setl_id, o.setl_id)) f
            on m.msgid is null and (p_original is null or o.psn_no = p_psn_no);
    stored_state := r.state; stored_infno := r.infno; stored_digest := r.request_digest; stored_reply := r.reply;
    original_state := r.o_state; original_infno := r.o_infno; original_psn_no := r.o_psn_no;
    original_mdtrt_id := r.o_mdtrt_id; undoes := r.undoes;
end $$;

set local check_function_bodies = on;
