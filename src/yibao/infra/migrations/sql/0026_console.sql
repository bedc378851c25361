-- The window desk: calls to the hotline, and what is known to be wrong.

create schema console;
grant usage on schema console to yibao_gateway, yibao_portal, yibao_worker, yibao_agency;

create table console.call (                     -- a call, by its theme; who called is nobody's business here
    admdvs       text not null,
    call_id      text not null,
    theme        text not null,                 -- code of data/windows/themes.csv
    business     text not null default '',
    county       text not null default '',
    says         text not null default '',
    at           timestamptz not null,
    noted_by     text not null,
    primary key (admdvs, call_id)
);
create index call_by_time on console.call (admdvs, at);

create table console.problem (                  -- told to everybody until it is mended
    admdvs       text not null,
    problem_id   text not null,
    business     text not null,
    title        text not null check (title <> ''),
    says         text not null check (says <> ''),
    workaround   text not null check (workaround <> ''),
    people       integer not null check (people >= 0),
    book         text not null default '',      -- register whose open rows are the people; '' where they are counted by hand
    opened_at    timestamptz not null,
    opened_by    text not null,
    close_by     date not null,                 -- when it will be mended
    moved        integer not null default 0,    -- how often that day was moved
    closed_at    timestamptz,
    closed_by    text not null default '',
    outcome      text not null default '',
    primary key (admdvs, problem_id),
    check ((closed_at is null) = (closed_by = '')),
    check (closed_at is null or outcome <> '')
);
create index problem_open on console.problem (admdvs, close_by) where closed_at is null;

grant select on console.call, console.problem to yibao_agency;
grant select on console.problem to yibao_portal;
grant insert on console.call to yibao_agency;
grant insert, update on console.problem to yibao_agency;
