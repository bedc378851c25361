-- Who may do what. The application connects as a role that owns nothing and is no superuser.
--   yibao_gateway  institutions' messages; its statements are keyed and carry the region themselves
--   yibao_portal   pages: reads, and only of the region set for the transaction
--   yibao_worker   seals the audit chain
-- Ledger, settlements' amounts and audit rows can be added by nobody but appended to; corrected never.

do $$
declare r text;
begin
    foreach r in array array['yibao_gateway', 'yibao_portal', 'yibao_worker'] loop
        if not exists (select from pg_roles where rolname = r) then
            execute format('create role %I nologin', r);
        end if;
        execute format('grant %I to current_user', r);
    end loop;
end $$;

grant usage on schema platform, people, enrolment, institutions, catalogue, applications, encounters,
    settlements, ledger, access to yibao_gateway, yibao_portal, yibao_worker;

grant select on all tables in schema platform, people, enrolment, institutions, catalogue, applications, encounters,
    settlements, ledger to yibao_gateway;
grant insert on platform.message, platform.traffic, platform.audit_entry, platform.policy_version,
    encounters.encounter, encounters.diagnosis, encounters.fee_line, settlements.settlement, settlements.counter,
    ledger.posting, institutions.sign_in, institutions.item_mapping to yibao_gateway;
grant update on encounters.encounter, settlements.counter, ledger.personal_account, institutions.sign_in,
    institutions.item_mapping to yibao_gateway;
grant update (state) on settlements.settlement to yibao_gateway;
grant update (version) on people.person to yibao_gateway;
grant delete on encounters.diagnosis, encounters.fee_line, institutions.item_mapping to yibao_gateway;

grant select on all tables in schema platform, people, enrolment, institutions, catalogue, applications, encounters,
    settlements, ledger, access to yibao_portal;
grant insert on access.session, platform.audit_entry to yibao_portal;
grant update on access.session to yibao_portal;
grant update (failed, locked_until) on access.staff to yibao_portal;

grant select on platform.audit_entry, platform.audit_seal to yibao_worker;
grant insert on platform.audit_seal, platform.audit_entry to yibao_worker;

-- Forced row-level security on every table with a region. The gateway's keyed statements carry the
-- region themselves; everybody else sees the region of the transaction and nothing when it is unset.
do $$
declare t record;
begin
    for t in
        select n.nspname, c.relname from pg_class c
        join pg_namespace n on n.oid = c.relnamespace
        join pg_attribute a on a.attrelid = c.oid and a.attname = 'admdvs'
        where c.relkind = 'r' and n.nspname in
            ('platform', 'people', 'enrolment', 'institutions', 'catalogue', 'applications', 'encounters',
             'settlements', 'ledger', 'access')
    loop
        execute format('alter table %I.%I enable row level security', t.nspname, t.relname);
        execute format('alter table %I.%I force row level security', t.nspname, t.relname);
        execute format('create policy keyed on %I.%I to yibao_gateway using (true) with check (true)',
                       t.nspname, t.relname);
        execute format('create policy region on %I.%I to yibao_portal using (admdvs = any (string_to_array('
                       'current_setting(''yibao.admdvs'', true), '',''))) with check (admdvs = any '
                       '(string_to_array(current_setting(''yibao.admdvs'', true), '','')))', t.nspname, t.relname);
        execute format('create policy owner_batch on %I.%I to current_user using (true) with check (true)',
                       t.nspname, t.relname);
    end loop;
    -- The seal worker walks all regions: it reads digests, not people.
    create policy seal on platform.audit_entry to yibao_worker using (true) with check (true);
end $$;

grant execute on all functions in schema settlements, ledger to yibao_gateway, yibao_portal, yibao_worker;
