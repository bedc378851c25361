-- Filings and choices: referrals, chosen clinics, accidents, maternity, work injury.
-- A filing holds from valid_from to before valid_to (null = open); cancelled_at ends it as if it had never been.
-- filed_by: the institution that filed, or the region (admdvs) whose agency did.

create table applications.referral (            -- 2501: a hospital sends somebody on
    psn_no         text not null,
    filing_id      text not null,               -- trt_dcla_detl_sn
    admdvs         text not null,
    insutype       text not null,
    from_code      text not null,               -- institution that refers
    from_level     text not null check (from_level in ('1', '2', '3')),
    to_code        text not null,               -- institution that takes over
    to_name        text not null,
    care_admdvs    text not null,
    kind           text not null,               -- refl_type
    referred_on    date not null,
    diagnosis_code text not null,
    diagnosis_name text not null,
    valid_from     date not null,
    valid_to       date,
    from_mdtrt_id  text not null default '',
    detail         jsonb not null default '{}', -- reason, opinion, contact ...
    filed_by       text not null,
    filed_at       timestamptz not null,
    opter          text not null,
    opter_name     text not null default '',
    cancelled_at   timestamptz,
    primary key (psn_no, filing_id)
);

create table applications.provider_choice (     -- 2505: the clinic a person is assigned to
    psn_no         text not null,
    filing_id      text not null,
    admdvs         text not null,
    kind           text not null,               -- biz_appy_type
    ordinal        text not null,               -- fix_srt_no: 1 first, 2 second chosen provider
    fixmedins_code text not null,
    fixmedins_name text not null,
    replaces       text not null default '',    -- the choice that this one ended
    valid_from     date not null,
    valid_to       date,
    detail         jsonb not null default '{}',
    filed_by       text not null,
    filed_at       timestamptz not null,
    opter          text not null,
    opter_name     text not null default '',
    cancelled_at   timestamptz,
    primary key (psn_no, filing_id)
);

create table applications.injury (              -- 2507, and what the work-injury insurer recognised
    psn_no         text not null,
    filing_id      text not null,
    admdvs         text not null,
    kind           text not null check (kind in ('accident', 'third_party', 'work_injury')),
    injured_on     date,
    place          text not null default '',
    cause          text not null default '',
    has_undertaking boolean not null default false,  -- the person signed that no third party pays
    approved       boolean not null default true,    -- chk_pay_flag: the fund may pay
    valid_from     date not null,
    valid_to       date,
    detail         jsonb not null default '{}',
    filed_by       text not null,
    filed_at       timestamptz not null,
    opter          text not null,
    opter_name     text not null default '',
    cancelled_at   timestamptz,
    primary key (psn_no, filing_id)
);

create table applications.maternity (           -- registration of a pregnancy
    psn_no         text not null,
    filing_id      text not null,
    admdvs         text not null,
    insutype       text not null,
    fixmedins_code text not null default '',    -- prenatal institution, '' = any
    due_on         date,
    spouse_psn_no  text,
    valid_from     date not null,
    valid_to       date,
    detail         jsonb not null default '{}',
    filed_by       text not null,
    filed_at       timestamptz not null,
    opter          text not null,
    opter_name     text not null default '',
    cancelled_at   timestamptz,
    primary key (psn_no, filing_id)
);

create table applications.chronic_filing (      -- 2503: a hospital finds that somebody has a chronic disease
    psn_no         text not null,
    filing_id      text not null,
    admdvs         text not null,
    insutype       text not null,
    disease_code   text not null,
    disease_name   text not null,
    fixmedins_code text not null,               -- institution that examined
    fixmedins_name text not null,
    doctor_code    text not null,
    doctor_name    text not null,
    examined_on    date not null,
    valid_from     date not null,
    valid_to       date,                        -- of the recognition that approval makes: asked for, bounded by the law's review
    state          text not null check (state in ('filed', 'approved', 'refused', 'cancelled')),
    decided_at     timestamptz,
    decided_by     text not null default '',
    reason         text not null default '',    -- of a refusal or a cancellation
    detail         jsonb not null default '{}',
    filed_by       text not null,
    filed_at       timestamptz not null,
    opter          text not null,
    opter_name     text not null default '',
    cancelled_at   timestamptz,
    primary key (psn_no, filing_id),
    check ((state = 'cancelled') = (cancelled_at is not null))
);
create index chronic_filing_by_id on applications.chronic_filing (filing_id);
create index chronic_filing_open on applications.chronic_filing (admdvs, filed_at) where state = 'filed';

grant select, insert, update on applications.chronic_filing to yibao_gateway;
grant select on applications.chronic_filing to yibao_portal;
-- An approved filing makes the recognition, a cancelled one takes it back.
grant insert, delete on applications.chronic_recognition to yibao_gateway;
grant select, insert, update on applications.referral, applications.provider_choice, applications.injury,
    applications.maternity to yibao_gateway;
grant select on applications.referral, applications.provider_choice, applications.injury, applications.maternity
    to yibao_portal;

-- What counts for a person at an institution, of a visit on a day or of a stay from its first to its last day: always one
-- row. Choices, referrals and the pregnancy count as they stood on the first day; an injury that was filed in the course of
-- a stay counts for all of it. In plain SQL, so that the planner sees through it where it stands in a lateral join.
-- No rule stands here: yibao.domains.applications.rules says what it means.
create function applications.filing_facts(p_psn_no text, p_at text, p_insutype text, p_first date, p_last date)
returns table (
    filed_choice_ordinals text[], filed_choice_codes text[], filed_choice_levels text[], filed_referred_from text,
    filed_injury_kinds text[], filed_injury_undertakings boolean[], filed_injury_approvals boolean[],
    filed_prenatal text[], filed_pregnancy_id text
) language sql stable as $$
    select c.ordinals, c.codes, c.levels, r.from_level, i.kinds, i.undertakings, i.approvals, m.prenatal, m.pregnancy_id
    from (select array_agg(x.ordinal order by x.ordinal, x.filing_id) as ordinals,
                 array_agg(x.fixmedins_code order by x.ordinal, x.filing_id) as codes,
                 array_agg(t.level order by x.ordinal, x.filing_id) as levels
          from applications.provider_choice x
          join institutions.institution t on t.fixmedins_code = x.fixmedins_code
          where x.psn_no = p_psn_no and x.kind = '03' and x.cancelled_at is null  -- 03: outpatient institution
            and x.valid_from <= p_first and (x.valid_to is null or x.valid_to > p_first)) c
    cross join (select array_agg(x.kind order by x.filing_id) as kinds,
                       array_agg(x.has_undertaking order by x.filing_id) as undertakings,
                       array_agg(x.approved order by x.filing_id) as approvals
                from applications.injury x
                where x.psn_no = p_psn_no and x.cancelled_at is null
                  and x.valid_from <= p_last and (x.valid_to is null or x.valid_to > p_first)) i
    cross join (select array_agg(x.fixmedins_code order by x.valid_from desc, x.filing_id desc) as prenatal,
                       (array_agg(x.filing_id order by x.valid_from desc, x.filing_id desc))[1] as pregnancy_id
                from applications.maternity x
                where x.psn_no = p_psn_no and x.cancelled_at is null
                  and x.valid_from <= p_first and (x.valid_to is null or x.valid_to > p_first)) m
    left join lateral (
        select x.from_level from applications.referral x
        where x.psn_no = p_psn_no and x.to_code = p_at and x.insutype = p_insutype and x.cancelled_at is null
          and x.valid_from <= p_first and (x.valid_to is null or x.valid_to > p_first)
        order by x.referred_on desc, x.filing_id desc limit 1) r on true
$$;
create function applications.filing_facts(p_psn_no text, p_at text, p_insutype text, p_on date)
returns table (
    filed_choice_ordinals text[], filed_choice_codes text[], filed_choice_levels text[], filed_referred_from text,
    filed_injury_kinds text[], filed_injury_undertakings boolean[], filed_injury_approvals boolean[],
    filed_prenatal text[], filed_pregnancy_id text
) language sql stable as $$
    select * from applications.filing_facts(p_psn_no, p_at, p_insutype, p_on, p_on)
$$;
grant execute on function applications.filing_facts(text, text, text, date, date),
    applications.filing_facts(text, text, text, date) to yibao_gateway, yibao_portal, yibao_worker;

-- Every filing of every kind, for lists and for decisions by its number.
create view applications.filing with (security_invoker = true) as
    select 'chronic'::text as kind, psn_no, filing_id, admdvs, insutype, disease_code as code, disease_name as title,
           fixmedins_code, valid_from, valid_to, state, reason, filed_by, filed_at, opter, opter_name
    from applications.chronic_filing
    union all
    select 'referral', psn_no, filing_id, admdvs, insutype, to_code, to_name, from_code, valid_from, valid_to,
           case when cancelled_at is null then 'approved' else 'cancelled' end, '', filed_by, filed_at, opter, opter_name
    from applications.referral
    union all
    select 'choice', psn_no, filing_id, admdvs, '', ordinal, fixmedins_name, fixmedins_code, valid_from, valid_to,
           case when cancelled_at is null then 'approved' else 'cancelled' end, '', filed_by, filed_at, opter, opter_name
    from applications.provider_choice
    union all
    select 'injury', psn_no, filing_id, admdvs, '', kind, cause, '', valid_from, valid_to,
           case when cancelled_at is not null then 'cancelled' when approved then 'approved' else 'refused' end, '',
           filed_by, filed_at, opter, opter_name
    from applications.injury
    union all
    select 'maternity', psn_no, filing_id, admdvs, insutype, '', '', fixmedins_code, valid_from, valid_to,
           case when cancelled_at is null then 'approved' else 'cancelled' end, '', filed_by, filed_at, opter, opter_name
    from applications.maternity;
grant select on applications.filing to yibao_gateway, yibao_portal;
