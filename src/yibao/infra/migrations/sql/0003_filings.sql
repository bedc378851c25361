-- Filings and choices: referrals, chosen clinics, accidents, maternity, work injury.
-- A filing holds from valid_from to before valid_to (null = open); cancelled_at ends it as if it had never been.

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
    valid_from     date not null,
    valid_to       date,
    detail         jsonb not null default '{}',
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
    filed_at       timestamptz not null,
    opter          text not null,
    opter_name     text not null default '',
    cancelled_at   timestamptz,
    primary key (psn_no, filing_id)
);
grant select, insert, update on applications.referral, applications.provider_choice, applications.injury,
    applications.maternity to yibao_gateway;
grant select on applications.referral, applications.provider_choice, applications.injury, applications.maternity
    to yibao_portal;
