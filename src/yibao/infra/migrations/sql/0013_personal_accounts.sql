-- Personal accounts beyond a settlement: monthly credits with their reasons, interest, freezing, families and sharing,
-- withdrawals and inheritance. The money itself stands in the ledger; these rows say why it moved, or why it did not.

create schema personal_accounts;
grant usage on schema personal_accounts to yibao_gateway, yibao_portal, yibao_worker, yibao_agency;

-- A frozen account receives and keeps, and pays nothing.
alter table ledger.personal_account add column is_frozen boolean not null default false;
alter table ledger.personal_account set (fillfactor = 90);

-- Moves one personal account and writes its posting: person first, then account, then posting. is_new is false when the
-- posting was there before; balance_fen is null, and nothing written, when the account would fall below zero.
create function ledger.move(
    p_posting ledger.posting, p_opened_on date, p_even_frozen boolean,
    out balance_fen bigint, out is_new boolean, out is_same boolean
) language plpgsql as $$
declare v_delta bigint; v_count integer;
begin
    perform 1 from people.person p where p.psn_no = p_posting.psn_no for no key update;
    select (p.kind, p.accounts, p.amounts) is not distinct from (p_posting.kind, p_posting.accounts, p_posting.amounts)
        into is_same from ledger.posting p where p.psn_no = p_posting.psn_no and p.posting_id = p_posting.posting_id;
    is_new := is_same is null;
    if not is_new then
        select a.balance_fen into balance_fen from ledger.personal_account a where a.psn_no = p_posting.psn_no;
        return;
    end if;
    is_same := true;
    select coalesce(sum(amount), 0) into v_delta from unnest(p_posting.accounts, p_posting.amounts) leg(account, amount)
        where account = 'account:' || p_posting.psn_no;
    update ledger.personal_account a set balance_fen = a.balance_fen + v_delta
        where a.psn_no = p_posting.psn_no and a.balance_fen + v_delta >= 0
          and (v_delta >= 0 or p_even_frozen or not a.is_frozen)
        returning a.balance_fen into balance_fen;
    get diagnostics v_count = row_count;
    if v_count = 0 then
        if v_delta < 0 then return; end if;
        insert into ledger.personal_account (psn_no, admdvs, balance_fen, opened_on)
            values (p_posting.psn_no, p_posting.admdvs, v_delta, p_opened_on);
        balance_fen := v_delta;
    end if;
    insert into ledger.posting select (p_posting).*;
    update people.person p set version = p.version + 1 where p.psn_no = p_posting.psn_no;
end $$;

-- What a month owes a person and what came of it: credited, or held for a reason until a later run finds it gone.
create table personal_accounts.credit (
    psn_no         text not null,
    month          date not null check (extract(day from month) = 1),
    admdvs         text not null,
    outcome        text not null check (outcome in ('credited', 'held', 'dropped')),  -- dropped: no longer owed
    reason         text not null default '',    -- code, see domains/personal_accounts/reasons.py; '' when credited
    relation_id    text not null,
    psn_type       text not null,
    base_fen       bigint,
    amount_fen     bigint not null default 0,
    first_seen_at  timestamptz not null,
    decided_at     timestamptz not null,
    run_no         integer not null,            -- the last run that looked at it
    policy_version text not null,
    primary key (psn_no, month),
    check ((outcome = 'credited') = (reason = ''))
);
alter table personal_accounts.credit set (fillfactor = 95);
create index credit_held on personal_accounts.credit (admdvs, month) where outcome = 'held';

create table personal_accounts.credit_run (
    admdvs       text not null,
    month        date not null,
    run_no       integer not null,
    started_at   timestamptz not null,
    ended_at     timestamptz,                   -- null: still at work, or killed
    credited     bigint not null default 0,
    credited_fen bigint not null default 0,
    held         bigint not null default 0,
    reasons      jsonb not null default '{}',
    policy_version text not null,
    primary key (admdvs, month, run_no)
);

-- How a person's account is reached at the bank, where it is. Nobody without a row is held for it.
create table personal_accounts.channel (
    psn_no       text primary key,
    admdvs       text not null,
    kind         text not null check (kind in ('card', 'bank')),   -- social-security card; bank account of the off-site
    card_no      text not null default '',      -- the card the bank knows
    bank_name    text not null default '',
    bank_account text not null default '',
    has_finance  boolean not null default true, -- old cards have no financial account
    is_active    boolean not null default true,
    changed_at   timestamptz not null,
    changed_by   text not null
);

create table personal_accounts.freeze (
    psn_no       text not null,
    freeze_id    text not null,
    admdvs       text not null,
    cause        text not null,
    document     text not null,
    frozen_at    timestamptz not null,
    frozen_by    text not null,
    released_at  timestamptz,
    released_by  text,
    release_document text,
    primary key (psn_no, freeze_id)
);
create unique index freeze_once on personal_accounts.freeze (psn_no) where released_at is null;

-- Binding lets the owner see a relative and show the relative's code; it spends nothing.
create table personal_accounts.family (
    psn_no       text not null,                 -- who sees
    member_no    text not null,                 -- who is seen
    begin_on     date not null,
    admdvs       text not null,
    kinship      text not null,                 -- a word of the law's circle, seen from the owner
    is_minor     boolean not null,
    consent      text not null default '',      -- paper of a minor's guardian, or the member's own consent
    end_on       date,                          -- half-open
    bound_at     timestamptz not null,
    bound_by     text not null,
    ended_by     text,
    primary key (psn_no, member_no, bound_at),
    check (psn_no <> member_no)
);
create unique index family_once on personal_accounts.family (psn_no, member_no) where end_on is null;

-- Sharing lets a member spend the sharer's account, in the order of rank and within limits.
create table personal_accounts.share (
    psn_no         text not null,               -- the member, who spends
    share_id       text not null,
    admdvs         text not null,
    sharer_no      text not null,               -- whose account pays
    kinship        text not null,               -- the member, seen from the sharer
    rank           integer not null,
    once_limit_fen bigint check (once_limit_fen > 0),   -- of one settlement; null = none
    year_limit_fen bigint check (year_limit_fen > 0),   -- of a calendar year; null = none
    begin_on       date not null,
    end_on         date,                        -- half-open
    consent        text not null,
    made_at        timestamptz not null,
    made_by        text not null,
    ended_by       text,
    primary key (psn_no, share_id),
    check (psn_no <> sharer_no)
);
create unique index share_once on personal_accounts.share (psn_no, sharer_no) where end_on is null;
create index share_by_sharer on personal_accounts.share (sharer_no);

-- What a sharer's account paid for a member's settlement; a refund gives it back as a row of its own.
create table personal_accounts.shared_use (
    psn_no     text not null,                   -- the sharer
    setl_id    text not null,
    admdvs     text not null,
    member_no  text not null,
    share_id   text not null,
    year       integer not null,                -- calendar year of the day of service, for the limit
    amount_fen bigint not null check (amount_fen <> 0),
    used_at    timestamptz not null,
    primary key (psn_no, setl_id)
);
create index shared_use_by_settlement on personal_accounts.shared_use (member_no, setl_id);

create table personal_accounts.interest (
    psn_no      text not null,
    year        integer not null,
    admdvs      text not null,
    products    numeric(30) not null,           -- sum of the balances at the end of each day, fen x days
    days        integer not null,               -- of the year
    rate_e4     integer not null,
    amount_fen  bigint not null,
    credited_at timestamptz not null,
    policy_version text not null,
    primary key (psn_no, year)
);

create table personal_accounts.withdrawal (
    psn_no        text not null,
    withdrawal_id text not null,
    admdvs        text not null,
    kind          text not null check (kind in ('withdrawal', 'inheritance')),
    cause         text not null,                -- a word of the law
    document      text not null,
    amount_fen    bigint not null check (amount_fen > 0),
    heir_no       text,                         -- inheritance into the heir's own account, else paid out
    payee_name    text not null default '',
    bank_name     text not null default '',
    bank_account  text not null default '',
    state         text not null check (state in ('proposed', 'approved', 'rejected')),
    made_at       timestamptz not null,
    made_by       text not null,
    checked_at    timestamptz,
    checked_by    text,
    note          text not null default '',
    primary key (psn_no, withdrawal_id),
    check (state = 'proposed' or checked_by <> made_by)
);
create unique index withdrawal_open on personal_accounts.withdrawal (psn_no) where state = 'proposed';

-- ───────────────────────── sharing at settlement ─────────────────────────

-- Whose accounts may pay for a member on a day, in order: what is left within balance and limits, with the version of
-- each sharer, so that a write can tell whether it still holds.
create function personal_accounts.sharers(p_psn_no text, p_on date)
returns table (share_id text, sharer_no text, admdvs text, rank integer, available_fen bigint, version bigint)
language sql stable as $$
    select h.share_id, h.sharer_no, n.admdvs, h.rank,
           greatest(least(a.balance_fen, coalesce(h.once_limit_fen, a.balance_fen),
                          coalesce(h.year_limit_fen - u.used, a.balance_fen)), 0)::bigint,
           n.version
    from personal_accounts.share h
    join people.person n on n.psn_no = h.sharer_no and n.died_on is null
    join ledger.personal_account a on a.psn_no = h.sharer_no and not a.is_frozen
    cross join lateral (
        select coalesce(sum(x.amount_fen), 0)::bigint as used from personal_accounts.shared_use x
        where x.psn_no = h.sharer_no and x.share_id = h.share_id and x.year = extract(year from p_on)::integer) u
    where h.psn_no = p_psn_no and h.begin_on <= p_on and (h.end_on is null or h.end_on > p_on)
    order by h.rank, h.share_id
$$;

-- The turns of a member and of everybody who shares with the member, in the order of their numbers.
create function personal_accounts.take_family_turn(p_psn_no text) returns text[] language plpgsql as $$
declare v_people text[]; v_one text;
begin
    select array_agg(x.n order by x.n collate "C") into v_people from (
        select p_psn_no as n union
        select h.sharer_no from personal_accounts.share h where h.psn_no = p_psn_no and h.end_on is null) x;
    foreach v_one in array v_people loop
        perform pg_advisory_lock(settlements.turn_of(v_one));
    end loop;
    return v_people;
end $$;

create function personal_accounts.give_family_turn_back(p_people text[]) returns void language plpgsql as $$
declare v_one text;
begin
    foreach v_one in array p_people loop
        perform pg_advisory_unlock(settlements.turn_of(v_one));
    end loop;
end $$;

-- What was shared of a settlement, with the posting to mirror and the sharer as he or she is now.
create function personal_accounts.shared_of(p_member text, p_setl_id text)
returns table (used personal_accounts.shared_use, posting ledger.posting, version bigint, balance_fen bigint)
language sql stable as $$
    select u, p, n.version, a.balance_fen
    from personal_accounts.shared_use u
    join ledger.posting p on p.psn_no = u.psn_no and p.posting_id = u.setl_id
    join people.person n on n.psn_no = u.psn_no
    join ledger.personal_account a on a.psn_no = u.psn_no
    where u.member_no = p_member and u.setl_id = p_setl_id order by u.psn_no collate "C"
$$;

-- What the sharers pay of a settlement, or are given back: their turns and versions, postings and balances. Called in the
-- transaction of settlements.write and before it, so that everybody is locked in the order of the numbers, the member too.
create function personal_accounts.write_sharing(
    p_member text, p_uses personal_accounts.shared_use[], p_versions bigint[], p_postings ledger.posting[]
) returns void language plpgsql as $$
declare v_count integer;
begin
    select count(*) filter (where pg_try_advisory_xact_lock(settlements.turn_of(locked.psn_no))) into v_count from (
        select p.psn_no from people.person p
        where p.psn_no = p_member or p.psn_no in (select u.psn_no from unnest(p_uses) u)
        order by p.psn_no collate "C" for no key update) locked;
    if v_count <> cardinality(p_uses) + 1 then
        raise exception 'somebody else has the turn' using errcode = 'YB001';
    end if;
    update people.person p set version = p.version + 1
        from unnest(p_uses) with ordinality u, unnest(p_versions) with ordinality v(version, n)
        where v.n = u.ordinality and p.psn_no = u.psn_no and p.version = v.version;
    get diagnostics v_count = row_count;
    if v_count <> cardinality(p_uses) then raise exception 'a sharer has moved on' using errcode = 'YB001'; end if;
    insert into personal_accounts.shared_use select * from unnest(p_uses);
    insert into ledger.posting select * from unnest(p_postings);
    update ledger.personal_account a set balance_fen = a.balance_fen - u.amount_fen
        from unnest(p_uses) u where a.psn_no = u.psn_no;
    get diagnostics v_count = row_count;
    if v_count <> cardinality(p_uses) then raise exception 'no personal account to post to'; end if;
end $$;

-- ───────────────────────── rights ─────────────────────────

grant select on all tables in schema personal_accounts to yibao_gateway, yibao_portal, yibao_agency;
grant insert on all tables in schema personal_accounts to yibao_agency;
grant update on personal_accounts.credit, personal_accounts.credit_run, personal_accounts.channel,
    personal_accounts.freeze, personal_accounts.family, personal_accounts.share, personal_accounts.withdrawal
    to yibao_agency;
grant insert on personal_accounts.shared_use to yibao_gateway;
grant update (version) on people.person to yibao_agency;
grant execute on all functions in schema personal_accounts to yibao_gateway, yibao_agency;
grant execute on function ledger.move to yibao_agency, yibao_gateway;
