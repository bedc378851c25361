-- The role of the agency's way in (REST, batches asked for by clerks) and the kinds of postings of the core business.
--   yibao_agency   writes enrolment, dues, accounts; sees only the regions set for the transaction
do $$
declare t record;
begin
    if not exists (select from pg_roles where rolname = 'yibao_agency') then
        create role yibao_agency nologin;
    end if;
    grant yibao_agency to current_user;
    for t in
        select n.nspname, c.relname from pg_class c
        join pg_namespace n on n.oid = c.relnamespace
        join pg_attribute a on a.attrelid = c.oid and a.attname = 'admdvs'
        where c.relkind = 'r' and c.relforcerowsecurity
          and not exists (select from pg_policies p where p.schemaname = n.nspname and p.tablename = c.relname
                          and p.policyname = 'region_agency')
    loop
        execute format('create policy region_agency on %I.%I to yibao_agency using (admdvs = any (string_to_array('
                       'current_setting(''yibao.admdvs'', true), '',''))) with check (admdvs = any '
                       '(string_to_array(current_setting(''yibao.admdvs'', true), '','')))', t.nspname, t.relname);
    end loop;
end $$;

grant usage on schema platform, people, enrolment, institutions, catalogue, applications, encounters, settlements, ledger
    to yibao_agency;
grant select on all tables in schema platform, people, enrolment, institutions, catalogue, applications, encounters,
    settlements, ledger to yibao_agency;
grant insert on platform.message, platform.audit_entry, ledger.posting to yibao_agency;
grant insert, update on ledger.personal_account to yibao_agency;
grant execute on all functions in schema settlements, ledger to yibao_agency;

alter table ledger.posting drop constraint posting_kind_check;
alter table ledger.posting add constraint posting_kind_check check (kind in
    ('opening', 'credit', 'settlement', 'refund', 'reinstatement', 'payment', 'deduction', 'prepayment', 'year_end',
     'contribution', 'contribution_refund', 'surcharge', 'subsidy', 'account_credit', 'account_due', 'interest',
     'withdrawal', 'inheritance', 'transfer_in', 'transfer_out', 'correction'));
