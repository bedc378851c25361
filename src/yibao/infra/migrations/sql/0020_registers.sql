-- Registers: rows, papers, answers. A book is a region's rows of one kind; a window's book those of its plan.

create schema registers;
grant usage on schema registers to yibao_gateway, yibao_portal, yibao_worker, yibao_agency;

create table registers.counter (                -- numbers of a book have no gaps: a transaction that is undone gives its back
    admdvs         text not null,
    kind           text not null,
    last_no        integer not null check (last_no > 0),
    primary key (admdvs, kind)
);
create table registers.entry (
    admdvs         text not null,
    register_no    text not null,               -- R<admdvs>-<kind>-<number>
    kind           text not null,
    plan           text not null,               -- name of the plan; '' where no window is behind it
    business       text not null default '',
    psn_no         text not null default '',
    emp_no         text not null default '',
    applicant_name text not null check (applicant_name <> ''),
    phone          text not null default '',
    fixmedins_code text not null default '',    -- institution that keeps the row or the cash
    division       text not null default '',    -- office that took it in
    received_at    timestamptz not null,
    received_by    text not null,
    channel        text not null,
    effective_on   date,                        -- from when it holds once it is done; null: from the deed
    due_on         date,                        -- last day of whatever runs for it
    moved_from     date,                        -- that day before the window moved it
    state          text not null check (state in
        ('received', 'ready', 'done', 'refused', 'withdrawn', 'claimed', 'lapsed')),
    reason         text not null default '',    -- why it was refused or put back
    result         text not null default '',    -- what came of it: in words, or the number of what was made
    ready_at       timestamptz,                 -- what it waited for has come
    tried_at       timestamptz,                 -- last try of a batch
    ended_at       timestamptz,
    answered_at    timestamptz,
    answered_by    text not null default '',
    owner          text not null default '',    -- who answers for a row that is left over when its book closes
    owner_until    date,
    amount_fen     bigint not null default 0 check (amount_fen >= 0),   -- of the bill or the payment behind it
    paid_fen       bigint not null default 0 check (paid_fen >= 0),     -- cash given beforehand
    due_fen        bigint not null default 0 check (due_fen >= 0),      -- cash that was due in the end
    back_fen       bigint not null default 0 check (back_fen >= 0),
    topup_fen      bigint not null default 0 check (topup_fen >= 0),
    origin         text not null default '',    -- kind/id of what it stands for: once in its book
    body           jsonb not null default '{}',
    primary key (admdvs, register_no),
    check (register_no like 'R' || admdvs || '-' || kind || '-%'),
    check ((state in ('received', 'ready')) = (ended_at is null)),
    check (state not in ('refused', 'withdrawn', 'lapsed') or reason <> ''),
    check ((answered_at is null) = (answered_by = '')),
    check ((owner = '') = (owner_until is null)),
    -- Whoever gave money beforehand has, in the end, given exactly what was due.
    constraint entry_balances check (ended_at is null or (paid_fen + topup_fen = due_fen + back_fen and (back_fen = 0 or topup_fen = 0)))
);
create unique index entry_by_number on registers.entry (register_no);
create unique index entry_by_origin on registers.entry (admdvs, kind, origin) where origin <> '';
create index entry_by_book on registers.entry (admdvs, kind, plan, state);
create index entry_by_person on registers.entry (psn_no) where psn_no <> '';
create index entry_by_institution on registers.entry (fixmedins_code, kind, received_at) where fixmedins_code <> '';

create table registers.paper (
    admdvs         text not null,
    register_no    text not null,
    ordinal        integer not null,
    paper          text not null,               -- code of data/registers/papers.csv; '' for one nobody asked for
    title          text not null,
    file_name      text not null default '',
    content        bytea not null,              -- scan, or the sheet's fields as JSON; '' where the application keeps it
    digest         bytea not null check (length(digest) = 32),   -- SM3 of the content
    given_at       timestamptz not null,
    given_by       text not null,
    primary key (admdvs, register_no, ordinal),
    foreign key (admdvs, register_no) references registers.entry
);
create table registers.step (                   -- everything that happened to a row; only ever added to
    admdvs         text not null,
    register_no    text not null,
    ordinal        integer not null,
    what           text not null,
    state          text not null,               -- after it
    at             timestamptz not null,
    actor          text not null,
    channel        text not null,
    says           text not null default '',
    primary key (admdvs, register_no, ordinal),
    foreign key (admdvs, register_no) references registers.entry
);
create table registers.book (                   -- a book that was closed: what stood in it, and its sums
    admdvs         text not null,
    kind           text not null,
    plan           text not null,
    fixmedins_code text not null default '',    -- an institution's own book; '' is the whole region's
    closed_at      timestamptz not null,
    closed_by      text not null,
    rows           integer not null,
    owned          integer not null,            -- left over with a named owner
    paid_fen       bigint not null,
    due_fen        bigint not null,
    back_fen       bigint not null,
    topup_fen      bigint not null,
    digest         bytea not null,              -- SM3 over the rows as they stood
    primary key (admdvs, kind, plan, fixmedins_code)
);
create table registers.month_book (             -- an institution's book of a month as it gave it to the agency
    admdvs         text not null,
    fixmedins_code text not null,
    kind           text not null,
    month          date not null check (extract(day from month) = 1),
    version        integer not null check (version > 0),
    given_at       timestamptz not null,
    given_by       text not null,
    rows           integer not null,
    paid_fen       bigint not null,
    digest         bytea not null,              -- SM3 over its rows
    content        bytea not null,              -- the printed book (xlsx), byte for byte again
    state          text not null check (state in ('given', 'checked', 'returned')),
    checked_at     timestamptz,
    checked_by     text,
    says           text not null default '',
    primary key (admdvs, fixmedins_code, kind, month, version),
    check ((state = 'given') = (checked_by is null)),
    check (checked_by <> given_by),             -- four eyes
    check (state <> 'returned' or says <> '')
);
create table registers.delegation (             -- a delegation of a plan that was handed back before its end
    admdvs         text not null,
    delegation_id  text not null,
    plan           text not null,
    rule           text not null,
    business       text not null,
    begin_at       timestamptz not null,
    end_at         timestamptz not null,        -- half-open
    opened_by      text not null,
    ended_by       text not null check (ended_by <> ''),
    ended_why      text not null check (ended_why <> ''),
    primary key (admdvs, delegation_id),
    check (end_at > begin_at)
);

grant select on all tables in schema registers to yibao_gateway, yibao_portal, yibao_worker, yibao_agency;
grant insert, update on registers.counter, registers.entry to yibao_gateway, yibao_worker, yibao_agency;
grant insert on registers.step, registers.paper to yibao_gateway, yibao_worker, yibao_agency;
grant insert, update on registers.book, registers.month_book to yibao_agency;
grant insert on registers.delegation to yibao_agency;

-- End a row in the statement that settles what it stood for; false where it is not there or has ended already.
create function registers.settle(
    p_admdvs text, p_register_no text, p_state text, p_result text, p_due bigint, p_back bigint, p_topup bigint,
    p_at timestamptz, p_by text, p_channel text
) returns boolean language plpgsql as $$
begin
    update registers.entry set state = p_state, result = p_result, due_fen = p_due, back_fen = p_back, topup_fen = p_topup,
        ended_at = p_at, answered_at = p_at, answered_by = p_by
    where admdvs = p_admdvs and register_no = p_register_no and ended_at is null;
    if not found then
        return false;
    end if;
    insert into registers.step (admdvs, register_no, ordinal, what, state, at, actor, channel, says)
    select p_admdvs, p_register_no, max(ordinal) + 1, 'settle', p_state, p_at, p_by, p_channel, p_result
    from registers.step where admdvs = p_admdvs and register_no = p_register_no;
    return true;
end $$;
-- Open a row again whose settlement was taken back: the money given beforehand stays, the rest is void.
create function registers.unsettle(
    p_admdvs text, p_register_no text, p_says text, p_at timestamptz, p_by text, p_channel text
) returns boolean language plpgsql as $$
begin
    update registers.entry set state = 'ready', reason = p_says, result = '', due_fen = 0, back_fen = 0, topup_fen = 0,
        ended_at = null, answered_at = null, answered_by = ''
    where admdvs = p_admdvs and register_no = p_register_no and state = 'done';
    if not found then
        return false;
    end if;
    insert into registers.step (admdvs, register_no, ordinal, what, state, at, actor, channel, says)
    select p_admdvs, p_register_no, max(ordinal) + 1, 'unsettle', 'ready', p_at, p_by, p_channel, p_says
    from registers.step where admdvs = p_admdvs and register_no = p_register_no;
    return true;
end $$;
revoke all on function registers.settle(text, text, text, text, bigint, bigint, bigint, timestamptz, text, text),
    registers.unsettle(text, text, text, timestamptz, text, text) from public;
grant execute on function registers.settle(text, text, text, text, bigint, bigint, bigint, timestamptz, text, text),
    registers.unsettle(text, text, text, timestamptz, text, text) to yibao_gateway, yibao_worker, yibao_agency;
