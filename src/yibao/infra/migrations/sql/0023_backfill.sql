-- Backfill settlements: what a settlement and its reversal must know of episodes and claims, and what was settled late
-- because of a window.

create schema backfill;
grant usage on schema backfill to yibao_gateway, yibao_portal, yibao_worker, yibao_agency;

-- Settlements that were made after the restart for care inside the stop, or for a noted episode. The key is what the
-- settlement covers: it outlives a cancellation and a settlement anew.
create table backfill.late_entry (
    psn_no         text not null,
    mdtrt_id       text not null,
    chrg_bchno     text not null,
    admdvs         text not null,               -- where the person is insured
    fixmedins_code text not null,
    insutype       text not null,
    year           integer not null,            -- benefit year
    service_on     date not null,
    service_at     timestamptz not null,        -- of the visit or sale; of a stay its end, or as far as it has come its beginning
    episode_id     text not null default '',    -- '' where nobody had noted it
    plan           text not null,
    plan_version   integer not null,
    rule_id        text not null,               -- of the plan
    position       text not null,
    entered_at     timestamptz not null,
    reorder        boolean not null,            -- something that serves a later day was settled before: not yet in order
    primary key (psn_no, mdtrt_id, chrg_bchno)
);
create index late_entry_to_reorder on backfill.late_entry (admdvs, psn_no) where reorder;
create index late_entry_by_plan on backfill.late_entry (admdvs, plan, entered_at);

-- A year that was put into the order of service, or why somebody must look at it.
create table backfill.reordering (
    psn_no         text not null,
    insutype       text not null,
    year           integer not null,
    at             timestamptz not null,
    admdvs         text not null,
    settlements    integer not null,            -- settled again; 0: nothing came out otherwise
    cash_fen       bigint not null,             -- what patients' cash changed by in all
    fund_fen       bigint not null,
    refusal        text not null default '',    -- why it cannot be done by itself; '' it was done
    primary key (psn_no, insutype, year, at)
);
create index reordering_by_hand on backfill.reordering (admdvs) where refusal <> '';

-- Bills that live claims hold. The revision that keeps claims puts them here.
create view backfill.claimed_bill with (security_invoker = true) as
    select ''::text as psn_no, ''::text as fixmedins_code, ''::text as mdtrt_id, ''::text as visit_no, ''::text as bill_no,
           ''::text as claim_id
    where false;
create type backfill.bill as (claim_id text, mdtrt_id text, visit_no text, bill_no text);

-- ───────────────────────── facts ─────────────────────────

-- Every settlement sees what was noted of its visit and which bills of the institution claims hold; in the same
-- statement, so of the moment to which the person's version belongs.
alter type settlements.facts
    add attribute visit_no text, add attribute episodes episodes.episode[], add attribute claimed backfill.bill[];
alter type settlements.stay_facts
    add attribute visit_no text, add attribute episodes episodes.episode[], add attribute claimed backfill.bill[],
    add attribute admitted_at timestamptz, add attribute discharged_at timestamptz;
alter type dispensing.facts add attribute episodes episodes.episode[], add attribute claimed backfill.bill[];
alter type settlements.reversal add attribute episode episodes.episode, add attribute is_claimed boolean;

-- The next revisions complete what these rest on: bodies are checked when they run.
set local check_function_bodies = off;
do $$
declare f record; v_was text; v_is text;
        v_noted constant text := ',
           array(select x from episodes.episode x
                 where x.psn_no = p_psn_no and x.kind = %L%s and x.state not in (''returned'', ''withdrawn'')),
           array(select row(x.claim_id, x.mdtrt_id, x.visit_no, x.bill_no)::backfill.bill from backfill.claimed_bill x
                 where x.psn_no = p_psn_no and x.fixmedins_code = %s)';
        v_number constant text := ' and x.visit_no = e.ipt_otp_no';
begin
    for f in select * from (values
        ('settlements.case_facts(text,text,text)', 'encounters.encounter e',
         ', e.ipt_otp_no' || format(v_noted, 'outpatient', v_number, 'e.fixmedins_code')),
        ('settlements.plain_facts(text,text,text)', 'encounters.encounter e',
         ', e.ipt_otp_no' || format(v_noted, 'outpatient', v_number, 'e.fixmedins_code')),
        ('settlements.facts_of_stay(text,text,boolean)', 'encounters.encounter e',
         ', e.ipt_otp_no' || format(v_noted, 'stay', v_number, 'e.fixmedins_code') || ', s.admitted_at, s.discharged_at'),
        ('dispensing.sale_facts(text,text,text,date,text[],text[])', 'people.person p',
         format(v_noted, 'sale', '', 'p_pharmacy')),
        ('settlements.reversal_facts(text,text)', 'settlements.settlement s
    join ledger.posting p on p.psn_no = s.psn_no and p.posting_id = s.setl_id', ',
           (select x from episodes.episode x
             where x.psn_no = p_psn_no and (x.setl_id = s.setl_id or x.mdtrt_id = s.mdtrt_id and x.state in (''entered'', ''lapsed''))
             limit 1),
           exists (select from backfill.claimed_bill x
                   where x.psn_no = p_psn_no and x.fixmedins_code = s.fixmedins_code
                     and (x.mdtrt_id = s.mdtrt_id or x.visit_no = e.ipt_otp_no or x.bill_no = nullif(s.invono, '''')))')
        ) x(name, source, more)
    loop
        v_was := pg_get_functiondef(f.name::regprocedure);
        v_is := replace(v_was, E'\n    from ' || f.source || E'\n', f.more || E'\n    from ' || f.source || E'\n');
        if length(v_is) - length(v_was) <> length(f.more) then raise exception '% is not what it was', f.name; end if;
        execute v_is;
    end loop;
end $$;

-- ───────────────────────── writes ─────────────────────────

-- Beside settlements.write and after it, in one statement: the entry, and the episode with its cash. p_entry.episode_id
-- names what was noted; p_episode is what nobody noted and is noted now, both without one: only the entry.
create function backfill.settle(
    p_entry backfill.late_entry, p_setl_id text, p_due_fen bigint, p_actor text, p_episode episodes.episode
) returns void language plpgsql as $$
declare v_episode_id text := nullif(p_entry.episode_id, '');
begin
    p_entry.reorder := exists (
        select from settlements.settlement s
        where s.psn_no = p_entry.psn_no and s.year = p_entry.year and s.insutype = p_entry.insutype
          and s.kind = 'settlement' and s.state = 'active' and s.setl_id <> p_setl_id
          and s.settled_at > p_entry.service_at);
    if p_episode.psn_no is not null then
        -- Of several bills of one visit the first is noted.
        insert into episodes.episode select (p_episode).* on conflict do nothing;
        if found then v_episode_id := p_episode.episode_id; end if;
    end if;
    p_entry.episode_id := coalesce(v_episode_id, '');
    insert into backfill.late_entry as x select (p_entry).*
        on conflict (psn_no, mdtrt_id, chrg_bchno) do update
            set insutype = excluded.insutype, year = excluded.year, service_on = excluded.service_on, service_at = excluded.service_at,
                episode_id = excluded.episode_id, plan = excluded.plan, plan_version = excluded.plan_version,
                rule_id = excluded.rule_id, position = excluded.position, entered_at = excluded.entered_at,
                reorder = excluded.reorder;
    perform episodes.settle(p_entry.psn_no, v_episode_id, p_setl_id, p_entry.mdtrt_id, p_due_fen, p_entry.entered_at,
                            p_actor, false);
end $$;

set local check_function_bodies = on;

grant select on backfill.late_entry, backfill.reordering, backfill.claimed_bill
    to yibao_gateway, yibao_portal, yibao_worker, yibao_agency;
grant insert, update on backfill.late_entry to yibao_gateway, yibao_agency;
grant insert on backfill.reordering to yibao_gateway, yibao_agency;
grant execute on all functions in schema backfill to yibao_gateway, yibao_agency;
