-- Benefit status over time, as known then and as known now.

create schema entitlement;
grant usage on schema entitlement to yibao_gateway, yibao_portal, yibao_worker, yibao_agency;

-- One row per person, insurance, period and knowledge. The rows known at one instant (known_from <= instant < known_to)
-- never overlap. What turns out otherwise is closed (known_to) and never changed, so that any day can be asked as it was
-- known on any other. A person without rows keeps the benefit columns of the own relation, as they were loaded.
create table entitlement.spell (
    psn_no         text not null,
    insutype       text not null,
    begin_on       date not null,
    end_on         date,                        -- half-open; null = open
    known_from     timestamptz not null,
    known_to       timestamptz,                 -- null = as known now
    admdvs         text not null,
    is_due         boolean not null,
    reason         text not null,               -- code; its words are policy/reckoning/benefit_words.py
    rules          text[] not null,             -- rows of the law behind it
    relation_id    text not null,
    psn_type       text not null,
    account_kind   text not null,
    paid_months    integer not null default 0,  -- months of continuous payment at the beginning of the period
    policy_version text not null default '',
    primary key (psn_no, insutype, begin_on, known_from),
    check (end_on is null or end_on > begin_on),
    check (known_to is null or known_to > known_from)
);
create unique index spell_known_now on entitlement.spell (psn_no, insutype, begin_on) where known_to is null;

-- What a loaded relation said of its benefits before the first spell was made from it.
create table entitlement.opening (
    psn_no       text not null,
    relation_id  text not null,
    admdvs       text not null,
    benefit_from date not null,
    benefit_to   date,
    paid_months  integer not null,
    recorded_at  timestamptz not null,
    primary key (psn_no, relation_id)
);

grant select on entitlement.spell to yibao_gateway, yibao_portal, yibao_worker, yibao_agency;
grant select on entitlement.opening to yibao_agency;
-- Deleted is only what would have been known for no time at all: two changes at one instant.
grant insert, update (known_to), delete on entitlement.spell to yibao_agency;
grant insert on entitlement.opening to yibao_agency;
grant update (benefit_from, benefit_to, paid_months, status_reason) on enrolment.relation to yibao_agency;
grant update (version) on people.person to yibao_agency;

-- Who somebody is in an insurance on a day, as known now: at most one row. status is the reason code of the spell, and
-- benefit_from, benefit_to its period; without spells they are what the relation was loaded with (1, 2, 4).
create function entitlement.standing(p_psn_no text, p_insutype text, p_on date)
returns table (
    admdvs text, psn_type text, status text, status_reason text, account_kind text, civil_servant boolean,
    benefit_from date, benefit_to date, paid_months integer, relation_id text
) language sql stable as $$
    select coalesce(s.admdvs, r.admdvs), coalesce(s.psn_type, r.psn_type), coalesce(s.reason, r.status),
           case when s.reason is null then r.status_reason else array_to_string(s.rules, '、') end,
           coalesce(s.account_kind, r.account_kind), coalesce(r.civil_servant, false),
           case when s.reason is null then r.benefit_from else s.begin_on end,
           case when s.reason is null then r.benefit_to else s.end_on end,
           case when s.reason is null then r.paid_months
                when s.is_due and s.reason not in ('arrears_kept', 'loaded')
                then s.paid_months + (extract(year from p_on) * 12 + extract(month from p_on)
                                      - extract(year from s.begin_on) * 12 - extract(month from s.begin_on))::integer
                else s.paid_months end,
           coalesce(s.relation_id, r.relation_id)
    from (select) one
    left join lateral (
        select x.* from enrolment.relation x
        where x.psn_no = p_psn_no and x.insutype = p_insutype and x.insured_on <= p_on
        order by x.insured_on desc limit 1) r on true
    left join lateral (
        select x.* from entitlement.spell x
        where x.psn_no = p_psn_no and x.insutype = p_insutype and x.begin_on <= p_on and x.known_to is null
        order by x.begin_on desc limit 1) s on true
    where r.psn_no is not null or s.psn_no is not null
$$;

-- Every settlement is judged by it: the facts are the same otherwise. A frozen account pays nothing.
set local check_function_bodies = off;
do $$
declare f record; v_was text; v_is text;
begin
    for f in select * from (values
        ('settlements.case_facts(text,text,text)', 'e.insutype, d.service_on'),
        ('settlements.plain_facts(text,text,text)', 'e.insutype, d.service_on'),
        ('settlements.facts_of_stay(text,text,boolean)', 'e.insutype, d.end_on'),
        ('dispensing.sale_facts(text,text,text,date,text[],text[])', 'p_insutype, p_on')) x(name, asked)
    loop
        v_was := pg_get_functiondef(f.name::regprocedure);
        v_is := regexp_replace(v_was,
            'left join lateral \(\s+select x\.(?:admdvs|psn_type)[^()]*from enrolment\.relation x[^()]*limit 1\) r on true',
            format('left join lateral entitlement.standing(p_psn_no, %s) r on true', f.asked));
        if v_is = v_was or position('enrolment.relation' in v_is) > 0 then
            raise exception '% is not what it was', f.name;
        end if;
        v_was := v_is;
        v_is := replace(v_was, 'a.balance_fen, k.', 'case when a.is_frozen then null else a.balance_fen end, k.');
        if v_is = v_was then raise exception '% is not what it was', f.name; end if;
        execute v_is;
    end loop;
end $$;
set local check_function_bodies = on;
