-- What people are told of a window: the texts as published, messages to whom it concerns, subscriptions, bulletins.

create schema notices;
grant usage on schema notices to yibao_gateway, yibao_portal, yibao_worker, yibao_agency;

create table notices.message (                  -- one sentence or more to one addressee, said once
    psn_no         text not null default '',    -- exactly one of the three is given
    message_id     text not null,               -- digest of addressee, kind and key: the natural key
    admdvs         text not null,
    emp_no         text not null default '',
    fixmedins_code text not null default '',
    kind           text not null,
    key            text not null,
    text           text not null check (text <> ''),
    plan           text not null default '',
    version        integer not null default 0,
    rule           text not null default '',    -- of the plan
    about          text not null default '',    -- register_no, episode_id, application_id ...
    phone          text not null default '',    -- where another number was left than the one we know
    told_at        timestamptz not null,
    serial         text not null,               -- order within an instant
    read_at        timestamptz,
    primary key (psn_no, message_id),
    check ((psn_no <> '')::integer + (emp_no <> '')::integer + (fixmedins_code <> '')::integer = 1),
    check (read_at >= told_at)
);
create index message_of_employer on notices.message (emp_no, told_at) where emp_no <> '';
create index message_of_institution on notices.message (fixmedins_code, told_at) where fixmedins_code <> '';
create index message_of_plan on notices.message (admdvs, plan, version, kind);

create table notices.subscription (             -- somebody wants to be told when a track opens, or its restart moves
    psn_no         text not null default '',
    subscription_id text not null,              -- digest of addressee, plan and track
    admdvs         text not null,
    emp_no         text not null default '',
    fixmedins_code text not null default '',
    plan           text not null,
    track          text not null,
    phone          text not null default '',
    since          timestamptz not null,
    ended_at       timestamptz,
    primary key (psn_no, subscription_id),
    check ((psn_no <> '')::integer + (emp_no <> '')::integer + (fixmedins_code <> '')::integer = 1)
);
create index subscription_of_track on notices.subscription (admdvs, plan, track) where ended_at is null;

create table notices.text_kept (                -- what a version of the plan said to whom, as it was first published
    admdvs         text not null,
    plan           text not null,
    version        integer not null,
    view           text not null check (view in ('person', 'employer', 'institution', 'phone')),
    text           text not null check (view <> 'phone' or char_length(text) <= 500),
    digest         bytea not null,              -- SM3
    kept_at        timestamptz not null,
    primary key (admdvs, plan, version, view)
);
create table notices.bulletin (                 -- after the opening: what is repaired and what is still open
    admdvs         text not null,
    plan           text not null,
    on_day         date not null,
    figures        jsonb not null,
    text           text not null,
    digest         bytea not null,              -- SM3 of the text
    made_at        timestamptz not null,
    made_by        text not null,
    primary key (admdvs, plan, on_day)
);

grant select on all tables in schema notices to yibao_portal, yibao_agency;
grant insert on all tables in schema notices to yibao_agency;
grant select, insert on notices.message to yibao_gateway, yibao_worker;
grant update (read_at) on notices.message to yibao_agency;
grant update (since, ended_at, phone) on notices.subscription to yibao_agency;

-- The worker speaks for every region; it is given no transaction of one.
create policy told_by_worker on notices.message to yibao_worker using (true) with check (true);
