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
    reason         text not null,               -- code; the words are in policy/reckoning/benefit_words.py
    rules          text[] not null,             -- rows of the law behind it
    relation_id    text,
    psn_type       text not null,
    account_kind   text not null,
    paid_months    integer not null default 0,  -- months of continuous payment at the beginning of the period
    policy_version text not null default '',
    primary key (psn_no, insutype, begin_on, known_from),
    check (end_on is null or end_on > begin_on),
    check (known_to is null or known_to > known_from)
);

grant select on entitlement.spell to yibao_gateway, yibao_portal, yibao_worker, yibao_agency;
grant insert on entitlement.spell to yibao_gateway, yibao_agency;
grant update (known_to) on entitlement.spell to yibao_gateway, yibao_agency;
grant delete on entitlement.spell to yibao_gateway, yibao_agency;  -- only what was known for no time at all
