-- E-prescriptions, and what was dispensed on them. The stock of institutions is another revision.
-- A drug is never dispensed beyond what was prescribed: prescription_line counts, and its check holds whoever writes.

create schema dispensing;
grant usage on schema dispensing to yibao_gateway, yibao_portal, yibao_worker;

-- 7102: what the platform signed for an institution. The file itself comes back with 7103.
create table dispensing.signature (
    fixmedins_code text not null,
    sign_value     text not null,
    admdvs         text not null,
    file_digest    bytea not null,              -- SM3 of the signed file
    text_digest    bytea not null,              -- SM3 of the signed text
    public_key     text not null,               -- PEM of the key that signed; '' where the value is a digest
    signed_at      timestamptz not null,
    hi_rxno        text,                        -- the prescription it was used for
    primary key (fixmedins_code, sign_value)
);

create table dispensing.prescription (
    psn_no         text not null,
    hi_rxno        text not null,
    admdvs         text not null,
    trace_code     text not null,               -- rxTraceCode: drawn, not counted; also what the patient's QR code says
    fixmedins_code text not null,               -- who prescribed
    mdtrt_id       text not null,
    hosp_rxno      text not null,
    attribute      text not null default '',    -- rxExraAttrCode: 01 dual channel, 02 pooled outpatient
    prescribed_at  timestamptz not null,
    valid_until    timestamptz not null,        -- the last instant
    uses_max       integer not null check (uses_max > 0),
    interval_days  integer not null check (interval_days >= 0),
    state          text not null check (state in ('checked', 'valid', 'cancelled')),
    checked_at     timestamptz not null,
    uploaded_at    timestamptz,
    cancelled_at   timestamptz,
    sign_value     text,
    file_digest    bytea,
    file           bytea,
    document       jsonb not null,              -- as it was sent, for whoever may ask
    primary key (psn_no, hi_rxno),
    check (state <> 'valid' or (uploaded_at is not null and file_digest is not null))
);
create unique index prescription_by_number on dispensing.prescription (hi_rxno);
create unique index prescription_by_trace_code on dispensing.prescription (trace_code);
create unique index prescription_by_own_number on dispensing.prescription (fixmedins_code, hosp_rxno) where state <> 'cancelled';

create table dispensing.prescription_line (
    psn_no        text not null,
    hi_rxno       text not null,
    item_code     text not null,
    admdvs        text not null,
    ordinal       integer not null,
    use_e4        bigint not null check (use_e4 > 0),      -- for one use, ten-thousandths of the unit
    allowed_e4    bigint not null check (allowed_e4 >= use_e4),   -- over all uses
    dispensed_e4  bigint not null default 0,
    is_approved   boolean not null,             -- hospApprFlag: the hospital approved a restricted drug
    primary key (psn_no, hi_rxno, item_code),
    check (dispensed_e4 between 0 and allowed_e4)
);

-- 7201-7206: a pharmacy's way to a prescription.
create table dispensing.authorisation (
    psn_no          text not null,
    auth_rxno       text not null,
    hi_rxno         text not null,
    admdvs          text not null,
    fixmedins_code  text not null,              -- the pharmacy
    way             text not null check (way in ('credential', 'online', 'code')),
    token_digest    bytea not null,             -- SM3 of the token, never the token
    expires_at      timestamptz not null,
    granted_at      timestamptz not null,
    state           text not null check (state in ('granted', 'downloaded', 'verified', 'passed', 'failed')),
    verify_sn       text,
    review_sn       text,                       -- in the order of the reviews
    reviewed_at     timestamptz,
    opinion         text not null default '',
    pharmacist_code text not null default '',
    pharmacist_name text not null default '',
    primary key (psn_no, auth_rxno)
);
create unique index authorisation_by_number on dispensing.authorisation (auth_rxno);
create index authorisation_by_prescription on dispensing.authorisation (psn_no, hi_rxno);

-- What left a pharmacy in an insured bill (2102, 2204).
create table dispensing.dispensed (
    psn_no         text not null,
    mdtrt_id       text not null,
    feedetl_sn     text not null,
    admdvs         text not null,
    hi_rxno        text not null,
    item_code      text not null,
    fixmedins_code text not null,
    quantity_e4    bigint not null check (quantity_e4 > 0),
    at             timestamptz not null,
    state          text not null check (state in ('taken', 'returned')),
    primary key (psn_no, mdtrt_id, feedetl_sn)
);
create index dispensed_by_prescription on dispensing.dispensed (psn_no, hi_rxno);

-- What a pharmacy told of drugs that left it (7207), paid by insurance or in cash.
create table dispensing.handed_out (
    psn_no         text not null,
    stoout_sn      text not null,
    admdvs         text not null,
    hi_rxno        text not null,
    item_code      text not null,
    fixmedins_code text not null,
    quantity_e4    bigint not null check (quantity_e4 > 0),
    is_insured     boolean not null,
    at             timestamptz not null,
    state          text not null check (state in ('taken', 'returned')),
    document       jsonb not null,
    primary key (psn_no, stoout_sn)
);
create index handed_out_by_prescription on dispensing.handed_out (psn_no, hi_rxno);

-- What each pharmacy took of each drug of these prescriptions. A pharmacy tells of the same boxes twice, in the insured
-- bill and in its details, in either order: the larger of the two counts; what was paid in cash is told once.
create function dispensing.takings(p_psn_no text, p_numbers text[])
returns table (hi_rxno text, item_code text, fixmedins_code text, settled_e4 bigint, issued_e4 bigint, cash_e4 bigint, last_at timestamptz)
language sql stable as $$
    select t.hi_rxno, t.item_code, t.fixmedins_code, sum(t.settled)::bigint, sum(t.issued)::bigint, sum(t.cash)::bigint, max(t.at)
    from (select d.hi_rxno, d.item_code, d.fixmedins_code, d.quantity_e4 as settled, 0 as issued, 0 as cash, d.at
            from dispensing.dispensed d
           where d.psn_no = p_psn_no and d.hi_rxno = any (p_numbers) and d.state = 'taken'
          union all
          select h.hi_rxno, h.item_code, h.fixmedins_code, 0, case when h.is_insured then h.quantity_e4 else 0 end,
                 case when h.is_insured then 0 else h.quantity_e4 end, h.at
            from dispensing.handed_out h
           where h.psn_no = p_psn_no and h.hi_rxno = any (p_numbers) and h.state = 'taken') t
    group by t.hi_rxno, t.item_code, t.fixmedins_code
$$;

-- Count anew what these prescriptions have given; fails with check_violation where it is more than prescribed.
create function dispensing.count_taken(p_psn_no text, p_numbers text[]) returns void language sql as $$
    update dispensing.prescription_line l set dispensed_e4 = coalesce(
        (select sum(t.cash_e4 + greatest(t.settled_e4, t.issued_e4)) from dispensing.takings(p_psn_no, array[l.hi_rxno]) t
          where t.item_code = l.item_code), 0)
    where l.psn_no = p_psn_no and l.hi_rxno = any (p_numbers)
$$;

-- What a sale on a prescription is judged by: one row per prescribed drug, whoever's prescription it is.
create type dispensing.prescribed as (
    hi_rxno text, psn_no text, admdvs text, fixmedins_code text, state text, attribute text,
    prescribed_at timestamptz, valid_until timestamptz, interval_days integer, review text,
    item_code text, use_e4 bigint, allowed_e4 bigint, dispensed_e4 bigint, is_approved boolean,
    settled_e4 bigint, issued_e4 bigint, cash_e4 bigint, last_at timestamptz, diagnoses text[]
);
create function dispensing.prescribed_of(p_numbers text[], p_pharmacy text)
returns setof dispensing.prescribed language sql stable as $$
    select p.hi_rxno, p.psn_no, p.admdvs, p.fixmedins_code, p.state, p.attribute, p.prescribed_at, p.valid_until,
           p.interval_days,
           coalesce((select a.state from dispensing.authorisation a
             where a.psn_no = p.psn_no and a.hi_rxno = p.hi_rxno and a.fixmedins_code = p_pharmacy
               and a.review_sn is not null
             order by a.review_sn desc limit 1), ''),
           l.item_code, l.use_e4, l.allowed_e4, l.dispensed_e4, l.is_approved,
           coalesce(t.settled_e4, 0), coalesce(t.issued_e4, 0), coalesce(t.cash_e4, 0),
           (select max(x.last_at) from dispensing.takings(p.psn_no, array[p.hi_rxno]) x),
           array(select x ->> 'diagCode' from jsonb_array_elements(p.document -> 'diseinfo') x)
    from dispensing.prescription p
    join dispensing.prescription_line l on l.psn_no = p.psn_no and l.hi_rxno = p.hi_rxno
    left join lateral dispensing.takings(p.psn_no, array[p.hi_rxno]) t
        on t.item_code = l.item_code and t.fixmedins_code = p_pharmacy
    where p.hi_rxno = any (p_numbers)
    order by p.hi_rxno, l.ordinal
$$;

-- ───────────────────────── sales ─────────────────────────

-- How a region reimburses an item on a day, in the order of the catalogue's own record of it.
create type dispensing.term as (
    code text, name text, list_type text, charge_type text, unit text, spec text, class_code text, negotiated boolean,
    origin text, version text, class_level text, restricted boolean, restriction text, first_pay integer, source text,
    assumed boolean, limit_micro bigint, limit_source text, limit_assumed boolean, term_from date, term_to date
);
-- Everything a sale is decided on; the relation's columns are null where there is none.
create type dispensing.facts as (
    admdvs text, care_admdvs text, fixmedins_code text, insutype text,
    name text, cert_type text, certno text, card_no text, sex text, nation text, birth_on date, died_on date,
    version bigint,
    psn_type text, relation_status text, relation_reason text, account_kind text, civil_servant boolean,
    benefit_from date, benefit_to date, paid_months integer, identities text[], recognised text[], balance_fen bigint,
    counter_codes text[], counter_used bigint[],
    level text, kind text, traits text[],
    terms dispensing.term[], prescribed dispensing.prescribed[]
);

-- Earlier editions of the catalogue are kept by the next revision: bodies are checked when they run.
set local check_function_bodies = off;

-- The same rows as the catalogue's own look-up gives for the other bills (a test holds them together): a sale reads
-- everything in one statement, so that its facts are of one moment.
create function dispensing.terms_of(p_admdvs text, p_codes text[], p_on date, p_level text)
returns setof dispensing.term language sql stable as $$
    select w.code, i.name, i.list_type, i.charge_type, i.unit, i.spec, i.class_code, i.negotiated, i.origin,
           i.version, t.class_level, t.restricted, t.restriction, t.first_pay, t.source, t.assumed,
           p.limit_micro, coalesce(p.source, ''), coalesce(p.assumed, false), t.valid_from, t.valid_to
    from unnest(p_codes) w(code)
    cross join lateral (
        (select name, list_type, charge_type, unit, spec, class_code, negotiated, origin, version from catalogue.item l
         where l.code = w.code and l.valid_from <= p_on and (l.valid_to is null or l.valid_to > p_on))
        union all
        (select name, list_type, charge_type, unit, spec, class_code, negotiated, origin, version from catalogue.former_item f
         where f.code = w.code and f.valid_from <= p_on and f.valid_to > p_on)
        limit 1) i
    cross join lateral (
        select * from catalogue.term t
        where t.admdvs = p_admdvs and t.code = w.code and t.valid_from <= p_on and (t.valid_to is null or t.valid_to > p_on)
        order by t.valid_from desc limit 1) t
    left join lateral (
        select * from catalogue.price_limit p
        where p.admdvs = p_admdvs and p.code = w.code and p.level = p_level
          and p.valid_from <= p_on and (p.valid_to is null or p.valid_to > p_on)
        order by p.valid_from desc limit 1) p on true
$$;

-- Gather the facts of a sale: one row, or none when there is no such person.
create function dispensing.sale_facts(
    p_psn_no text, p_pharmacy text, p_insutype text, p_on date, p_codes text[], p_numbers text[]
) returns setof dispensing.facts language sql stable as $$
    select r.admdvs, t.region, t.fixmedins_code, p_insutype,
           p.name, p.cert_type, p.certno, p.card_no, p.sex, p.nation, p.birth_on, p.died_on, p.version,
           r.psn_type, r.status, r.status_reason, r.account_kind, r.civil_servant, r.benefit_from, r.benefit_to,
           r.paid_months,
           array(select x.identity_type from enrolment.special_identity x
                 where x.psn_no = p_psn_no and x.valid_from <= p_on
                   and (x.valid_to is null or x.valid_to > p_on) order by x.identity_type),
           array(select x.disease_code from applications.chronic_recognition x
                 where x.psn_no = p_psn_no and x.valid_from <= p_on
                   and (x.valid_to is null or x.valid_to > p_on) order by x.disease_code),
           a.balance_fen, k.codes, k.used, t.level, t.kind, t.traits,
           array(select row(x.*)::dispensing.term from dispensing.terms_of(t.region, p_codes, p_on, t.level) x),
           array(select row(x.*)::dispensing.prescribed from dispensing.prescribed_of(p_numbers, p_pharmacy) x)
    from people.person p
    join institutions.institution t on t.fixmedins_code = p_pharmacy
    left join lateral (
        select x.admdvs, x.psn_type, x.status, x.status_reason, x.account_kind, x.civil_servant, x.benefit_from,
               x.benefit_to, x.paid_months
        from enrolment.relation x
        where x.psn_no = p_psn_no and x.insutype = p_insutype and x.insured_on <= p_on
        order by x.insured_on desc limit 1) r on true
    left join ledger.personal_account a on a.psn_no = p_psn_no
    cross join lateral (
        select array_agg(x.code) as codes, array_agg(x.used_fen) as used
        from settlements.counter x
        where x.psn_no = p_psn_no and x.insutype = p_insutype
          -- The driver says -infinity for the first day of the first year.
          and x.year in (0, case when isfinite(p_on) then extract(year from p_on)::integer end)) k
    where p.psn_no = p_psn_no
$$;

-- The facts in the person's turn, which the session holds from now on, as settlements.take_turn gives them of a visit.
create function dispensing.take_turn_for_sale(
    p_sender text, p_msgid text, p_psn_no text, p_pharmacy text, p_insutype text, p_on date, p_codes text[],
    p_numbers text[],
    out stored_state text, out stored_infno text, out stored_digest bytea, out stored_reply bytea,
    out facts dispensing.facts
) language plpgsql as $$
begin
    perform pg_advisory_lock(settlements.turn_of(p_psn_no));
    select m.state, m.infno, m.request_digest, m.reply
        into stored_state, stored_infno, stored_digest, stored_reply
        from platform.message m where m.sender = p_sender and m.msgid = p_msgid;
    if stored_state is null then
        select f.* into facts from dispensing.sale_facts(p_psn_no, p_pharmacy, p_insutype, p_on, p_codes, p_numbers) f;
        if not found then facts := null; end if;
    end if;
end $$;

-- settlements.write, and beside it the purchase: encounter, fee lines, and what it takes of prescriptions.
create function dispensing.write_sale(
    p_settlement settlements.settlement, p_posting ledger.posting, p_counter_used bigint[], p_counter_caps bigint[],
    p_account_delta bigint, p_version bigint, p_in_turn boolean,
    p_origin_state text, p_grand_state text,
    p_message platform.message, p_audit_actor text, p_audit_verb text, p_audit_digest bytea,
    p_encounter encounters.encounter, p_lines encounters.fee_line[], p_dispensed dispensing.dispensed[]
) returns void language plpgsql as $$
begin
    perform settlements.write(p_settlement, p_posting, p_counter_used, p_counter_caps, p_account_delta, p_version,
        p_in_turn, p_origin_state, p_grand_state, p_message, p_audit_actor, p_audit_verb, p_audit_digest);
    insert into encounters.encounter select (p_encounter).*;
    insert into encounters.fee_line select * from unnest(p_lines);
    if cardinality(p_dispensed) > 0 then
        insert into dispensing.dispensed select * from unnest(p_dispensed);
        perform dispensing.count_taken(p_settlement.psn_no, array(select distinct d.hi_rxno from unnest(p_dispensed) d));
    end if;
end $$;

-- What hangs on a sale beside money when it is cancelled (p_is_refund) or stands again: what it took of prescriptions goes
-- back or is taken again (check_violation where it is gone meanwhile), and its encounter is void or stands again.
create function dispensing.undo_sale(p_psn_no text, p_mdtrt_id text, p_is_refund boolean)
returns void language plpgsql as $$
begin
    update encounters.encounter e set state = case when p_is_refund then 'cancelled' else 'visited' end
        where e.psn_no = p_psn_no and e.mdtrt_id = p_mdtrt_id;
    -- Encounter, person, prescription: who counts a prescription holds the person already.
    perform 1 from people.person p where p.psn_no = p_psn_no for no key update;
    update dispensing.dispensed d set state = case when p_is_refund then 'returned' else 'taken' end
        where d.psn_no = p_psn_no and d.mdtrt_id = p_mdtrt_id;
    if found then
        perform dispensing.count_taken(p_psn_no, array(select distinct d.hi_rxno from dispensing.dispensed d
            where d.psn_no = p_psn_no and d.mdtrt_id = p_mdtrt_id));
    end if;
end $$;

-- A prescription that has too little left for a cancelled sale to stand again; null when there is none.
create function dispensing.short_of(p_psn_no text, p_mdtrt_id text) returns text language sql stable as $$
    select d.hi_rxno
    from (select x.hi_rxno, x.item_code, x.fixmedins_code, sum(x.quantity_e4) as quantity
            from dispensing.dispensed x
           where x.psn_no = p_psn_no and x.mdtrt_id = p_mdtrt_id and x.state = 'returned'
           group by x.hi_rxno, x.item_code, x.fixmedins_code) d
    join dispensing.prescription_line l on l.psn_no = p_psn_no and l.hi_rxno = d.hi_rxno and l.item_code = d.item_code
    left join lateral dispensing.takings(p_psn_no, array[d.hi_rxno]) t
        on t.item_code = d.item_code and t.fixmedins_code = d.fixmedins_code
    where l.dispensed_e4 + greatest(coalesce(t.settled_e4, 0) + d.quantity, coalesce(t.issued_e4, 0))
        - greatest(coalesce(t.settled_e4, 0), coalesce(t.issued_e4, 0)) > l.allowed_e4
       or exists (select from dispensing.prescription p
                  where p.psn_no = p_psn_no and p.hi_rxno = d.hi_rxno and p.state = 'cancelled')
    order by d.hi_rxno limit 1
$$;

set local check_function_bodies = on;

grant select on all tables in schema dispensing to yibao_gateway, yibao_portal;
grant insert on all tables in schema dispensing to yibao_gateway;
grant update (state, uploaded_at, cancelled_at, sign_value, file_digest, file, document) on dispensing.prescription to yibao_gateway;
grant update (hi_rxno) on dispensing.signature to yibao_gateway;
grant update (dispensed_e4) on dispensing.prescription_line to yibao_gateway;
grant update on dispensing.authorisation to yibao_gateway;
grant update (state) on dispensing.dispensed, dispensing.handed_out to yibao_gateway;
grant delete on dispensing.dispensed to yibao_gateway;
grant execute on all functions in schema dispensing to yibao_gateway, yibao_portal;
