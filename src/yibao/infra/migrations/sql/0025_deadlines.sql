-- Moved deadlines, months that a window costs nobody, and dues in transit.

create schema deadlines;
grant usage on schema deadlines to yibao_gateway, yibao_portal, yibao_worker, yibao_agency;

-- What the rules of a published plan promise about time, one row per promise and version. What another version replaces
-- is ended and never changed, so that it can be told what was promised on any day.
create table deadlines.term (
    admdvs         text not null,
    plan           text not null,
    version        integer not null,
    rule           text not null,
    kind           text not null check (kind in ('extension', 'waiver', 'advance', 'transit')),
    what           text not null,               -- clock, insurance ('' all), or what is allowed earlier
    business       text[] not null,
    way            text not null default '' check (way in ('', 'window', 'fixed', 'condition', 'months')),
    begin_on       date,                        -- days lost, half-open; end_on null: not known yet
    end_on         date,
    until_on       date,
    months         integer not null default 0,
    year           integer not null default 0,
    first_month    date,                        -- half-open
    until_month    date,
    from_at        timestamptz,
    until_at       timestamptz,
    is_wide        boolean not null default false,
    condition      text not null default '',
    says           text not null default '',
    noted_at       timestamptz not null,
    ended_at       timestamptz,                 -- null: it holds
    primary key (admdvs, plan, version, rule, kind, what, noted_at),
    check ((kind = 'extension') = (way <> '')),
    check (end_on is null or end_on >= begin_on),
    check (until_month is null or until_month > first_month),
    check (ended_at is null or ended_at >= noted_at)
);
create unique index term_in_force on deadlines.term (admdvs, plan, rule, kind, what) where ended_at is null;

create table deadlines.move (                   -- every step of every last day; only ever added to
    object_kind    text not null,               -- application, transfer, bill, claim, episode ...
    object_id      text not null,
    admdvs         text not null,
    psn_no         text not null default '',
    clock          text not null,
    plan           text not null,
    version        integer not null,
    rule           text not null,
    was_on         date not null,
    due_on         date not null,               -- infinity: until further notice
    says           text not null,
    moved_at       timestamptz not null,
    primary key (object_kind, object_id, clock, plan, version, rule, due_on)
);
create index move_by_person on deadlines.move (psn_no) where psn_no <> '';

create table deadlines.transit (                -- dues paid, or taken to be, of which the tax bureau has told nothing yet
    psn_no         text not null,
    insutype       text not null check (insutype in ('310', '390')),
    month          date not null check (extract(day from month) = 1),
    admdvs         text not null,
    due_id         text not null,
    source         text not null check (source in ('tax', 'receipt', 'plan')),
    reference      text not null default '',
    paid_on        date,                        -- null: presumed
    plan           text not null,
    rule           text not null,
    until_on       date not null,               -- last day on which it is believed
    noted_at       timestamptz not null,
    noted_by       text not null,
    state          text not null default 'in_transit' check (state in ('in_transit', 'arrived', 'lapsed', 'refuted')),
    ended_at       timestamptz,
    primary key (psn_no, insutype, month),
    check ((state = 'in_transit') = (ended_at is null)),
    check (source = 'plan' or (paid_on is not null and reference <> ''))
);
create index transit_open on deadlines.transit (admdvs, until_on) where state = 'in_transit';

create table deadlines.release (                -- what was held because of it and may go on
    psn_no         text not null,
    object_kind    text not null check (object_kind in ('episode', 'entry', 'application')),
    object_id      text not null,
    admdvs         text not null,
    business       text not null,
    months         date[] not null,             -- whose arrival it was
    released_at    timestamptz not null,
    primary key (psn_no, object_kind, object_id)
);

grant select on all tables in schema deadlines to yibao_gateway, yibao_portal, yibao_worker, yibao_agency;
grant insert on deadlines.term, deadlines.move, deadlines.transit, deadlines.release to yibao_agency;
grant update (ended_at) on deadlines.term to yibao_agency;
grant update on deadlines.transit to yibao_agency;

-- Months that are kept because of a window are not paid for: months of continuous payment do not grow in them.
create or replace function entitlement.standing(p_psn_no text, p_insutype text, p_on date)
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
                when s.is_due and s.reason not in ('arrears_kept', 'loaded', 'window_waived')
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
