-- What goes to the parties outside and comes from them, payouts to people through the bank, and cards.
-- A message to a party is written in the transaction of the deed it tells of, under a number of its own party:
-- the party's numbering is held until the commit, so that the numbers are the order of commits and have no gaps.

create schema exchange;
grant usage on schema exchange to yibao_gateway, yibao_portal, yibao_worker, yibao_agency;

create table exchange.numbering (               -- held by whoever puts messages, until the commit
    party          text primary key,
    last_put       bigint not null default 0    -- number of the newest message to the party
);
create table exchange.channel (                 -- how the exchange stands; no region: a party serves all
    party          text primary key,
    acked          bigint not null default 0,   -- the party has everything up to here
    fetched        bigint not null default 0,   -- we have handled everything of the party up to here
    tried_at       timestamptz,
    answered_at    timestamptz,                 -- when it last answered
    failing_since  timestamptz,                 -- null: the last round went well
    last_error     text not null default '',
    hall_state     text not null default '',    -- what the party says of its own hall: open, closed
    hall_says      text not null default '',
    hall_since     timestamptz
);

create table exchange.outbox (
    party          text not null,
    no             bigint not null,
    message_id     text not null,
    admdvs         text not null,
    kind           text not null,
    key            text not null,               -- natural key: the same message is put once
    body           text not null,               -- canonical JSON
    digest         bytea not null,              -- SM3 of the body
    put_at         timestamptz not null,
    sent_at        timestamptz,                 -- when the party had it
    primary key (party, no)
);
create unique index outbox_once on exchange.outbox (party, kind, key);
create unique index outbox_by_id on exchange.outbox (party, message_id);     -- a party knows a message by it

create table exchange.inbox (
    party          text not null,
    message_id     text not null,
    no             bigint not null,
    admdvs         text not null,
    kind           text not null,
    body           text not null,               -- canonical JSON, as it came
    digest         bytea not null,              -- what the party said; may be wrong, then there is a case
    received_at    timestamptz not null,
    outcome        text not null check (outcome in ('done', 'case')),
    primary key (party, message_id)
);
create index inbox_by_number on exchange.inbox (party, no);

create table exchange.case (                    -- what somebody has to look into
    case_id        text primary key,
    admdvs         text not null,
    party          text not null,
    message_id     text not null,
    kind           text not null,               -- of the message
    code           text not null,
    says           text not null,
    opened_at      timestamptz not null,
    state          text not null default 'open' check (state in ('open', 'closed')),
    closed_at      timestamptz,
    closed_by      text,
    note           text not null default '',
    check ((state = 'closed') = (closed_at is not null and closed_by is not null))
);
create index case_by_state on exchange.case (admdvs, state, opened_at);
create unique index case_once on exchange.case (party, message_id, code) where state = 'open';

-- ───────────────────────── payouts to people ─────────────────────────

create table exchange.payout (
    payout_id      text primary key,
    admdvs         text not null,
    purpose        text not null,
    psn_no         text not null,
    payee_name     text not null check (payee_name <> ''),
    bank_name      text not null,
    bank_account   text not null check (bank_account <> ''),
    amount_fen     bigint not null check (amount_fen > 0),
    origin         text not null,               -- the deed that owes it
    state          text not null check (state in ('ordered', 'filed', 'sent', 'paid', 'failed')),
    attempt        integer not null default 1,  -- moves when a payment failed or a file was withdrawn
    file_id        text,
    code           text not null default '',    -- of the bank, for the last attempt
    reason         text not null default '',
    ordered_by     text not null,
    ordered_at     timestamptz not null,
    ended_at       timestamptz,
    check ((state in ('filed', 'sent', 'paid', 'failed')) = (file_id is not null)),
    check ((state in ('paid', 'failed')) = (ended_at is not null))
);
create index payout_by_state on exchange.payout (admdvs, state);
create index payout_by_person on exchange.payout (psn_no);
create table exchange.payout_file (
    file_id        text primary key,
    admdvs         text not null,
    count          bigint not null check (count > 0),
    amount_fen     bigint not null,
    digest         text not null,               -- SM3 of the lines, hexadecimal
    state          text not null check (state in ('made', 'sent', 'answered', 'withdrawn')),
    made_by        text not null,
    made_at        timestamptz not null,
    checked_by     text,
    checked_at     timestamptz,
    answered_at    timestamptz,
    check (checked_by is null or checked_by <> made_by),                        -- four eyes
    check (state not in ('sent', 'answered') or checked_by is not null)
);
create index payout_file_by_region on exchange.payout_file (admdvs, made_at);
create table exchange.payout_line (             -- one attempt to pay, as the file says it
    file_id        text not null,
    line_id        text not null,               -- payout and attempt
    admdvs         text not null,
    payout_id      text not null,
    line           text not null,
    amount_fen     bigint not null,
    code           text not null default '',    -- '' until the bank has answered
    bank_ref       text not null default '',
    reason         text not null default '',
    primary key (file_id, line_id)
);
create unique index payout_line_once on exchange.payout_line (line_id);

-- ───────────────────────── cards ─────────────────────────

-- The card a person has now stands with the person (card_no, card_state); here is every card of whom a change was told,
-- and what became of it.
create table people.card (
    psn_no         text not null,
    card_no        text not null,
    admdvs         text not null,
    state          text not null check (state in ('active', 'lost', 'replaced', 'cancelled')),
    since          timestamptz not null,        -- when the office outside says it changed
    recorded_at    timestamptz not null,        -- when we learnt it
    replaced_by    text,
    primary key (psn_no, card_no)
);
create index card_by_number on people.card (card_no);
alter table people.person add column card_state text not null default '';

-- Every settlement sees how the card stands: one more column of the facts, everything else of them as it was.
alter type settlements.facts add attribute card_state text;
alter type settlements.stay_facts add attribute card_state text;
alter type dispensing.facts add attribute card_state text;
do $$
declare f record; v_was text; v_is text;
begin
    for f in select * from (values
        ('settlements.case_facts(text,text,text)', 'encounters.encounter e'),
        ('settlements.plain_facts(text,text,text)', 'encounters.encounter e'),
        ('settlements.facts_of_stay(text,text,boolean)', 'encounters.encounter e'),
        ('dispensing.sale_facts(text,text,text,date,text[],text[])', 'people.person p')) x(name, source)
    loop
        v_was := pg_get_functiondef(f.name::regprocedure);
        v_is := replace(v_was, E'\n    from ' || f.source || E'\n', E',\n           p.card_state\n    from ' || f.source || E'\n');
        if v_is = v_was then raise exception '% is not what it was', f.name; end if;
        execute v_is;
    end loop;
end $$;

-- Puts messages of one kind in order; returns the keys that were put before with other words.
create function exchange.put_out(
    p_party text, p_kind text, p_admdvs text, p_keys text[], p_ids text[], p_bodies text[], p_digests bytea[],
    p_now timestamptz, out put bigint, out clashes text[]
) language plpgsql as $$
declare v_no bigint; v_digest bytea; i integer;
begin
    put := 0;
    clashes := '{}';
    insert into exchange.numbering (party) values (p_party) on conflict do nothing;
    select c.last_put into v_no from exchange.numbering c where c.party = p_party for update;
    for i in 1 .. cardinality(p_keys) loop
        select o.digest into v_digest from exchange.outbox o
            where o.party = p_party and o.kind = p_kind and o.key = p_keys[i];
        if found then
            if v_digest <> p_digests[i] then clashes := clashes || p_keys[i]; end if;
            continue;
        end if;
        v_no := v_no + 1;
        put := put + 1;
        insert into exchange.outbox (party, no, message_id, admdvs, kind, key, body, digest, put_at)
            values (p_party, v_no, p_ids[i], p_admdvs, p_kind, p_keys[i], p_bodies[i], p_digests[i], p_now);
    end loop;
    if put > 0 then update exchange.numbering c set last_put = v_no where c.party = p_party; end if;
end $$;

grant select on exchange.numbering, exchange.channel, exchange.outbox, exchange.inbox, exchange.case, exchange.payout, exchange.payout_file,
    exchange.payout_line, people.card to yibao_agency;
grant insert on exchange.numbering, exchange.channel, exchange.outbox, exchange.inbox, exchange.case, exchange.payout, exchange.payout_file,
    exchange.payout_line, people.card to yibao_agency;
grant update on exchange.numbering, exchange.channel, exchange.outbox, exchange.inbox, exchange.case, exchange.payout, exchange.payout_file,
    exchange.payout_line, people.card to yibao_agency;
grant update (card_no, card_state, version) on people.person to yibao_agency;
grant select on people.card to yibao_gateway;
grant select on exchange.channel, exchange.case, people.card to yibao_portal;
-- Bank accounts are for nobody but the agency's own desk.
grant select (payout_id, admdvs, purpose, psn_no, amount_fen, origin, state, attempt, file_id, code, reason, ordered_at,
    ended_at) on exchange.payout to yibao_portal;
grant execute on function exchange.put_out(text, text, text, text[], text[], text[], bytea[], timestamptz) to yibao_agency;
