-- Run after every revision: forced row-level security on each table with a region that has none yet. The gateway's keyed
-- statements carry the region themselves; pages see the region of the transaction and nothing when it is unset.
-- Who may do what with a table is granted by the revision that makes it.
do $$
declare t record;
begin
    for t in
        select n.nspname, c.relname from pg_class c
        join pg_namespace n on n.oid = c.relnamespace
        join pg_attribute a on a.attrelid = c.oid and a.attname = 'admdvs'
        where c.relkind = 'r' and not c.relforcerowsecurity
          and n.nspname not like 'pg\_%' and n.nspname <> 'information_schema'
    loop
        execute format('alter table %I.%I enable row level security', t.nspname, t.relname);
        execute format('alter table %I.%I force row level security', t.nspname, t.relname);
        execute format('create policy keyed on %I.%I to yibao_gateway using (true) with check (true)',
                       t.nspname, t.relname);
        execute format('create policy region on %I.%I to yibao_portal using (admdvs = any (string_to_array('
                       'current_setting(''yibao.admdvs'', true), '',''))) with check (admdvs = any '
                       '(string_to_array(current_setting(''yibao.admdvs'', true), '','')))', t.nspname, t.relname);
        if exists (select from pg_roles where rolname = 'yibao_agency') then
            execute format('create policy region_agency on %I.%I to yibao_agency using (admdvs = any (string_to_array('
                           'current_setting(''yibao.admdvs'', true), '',''))) with check (admdvs = any '
                           '(string_to_array(current_setting(''yibao.admdvs'', true), '','')))', t.nspname, t.relname);
        end if;
        execute format('create policy owner_batch on %I.%I to current_user using (true) with check (true)',
                       t.nspname, t.relname);
    end loop;
end $$;
