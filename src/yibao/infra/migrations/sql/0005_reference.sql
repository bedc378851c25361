-- Item mappings with decisions and history, editions of the catalogue, departments, stock and traceability codes.

-- ───────────────────────── mappings of own items ─────────────────────────

-- One row per upload: nothing is overwritten. What holds on a day is the approved row whose period holds that day.
alter table institutions.item_mapping
    add column revision    integer not null default 1,
    add column mapping_id  text not null default '',        -- '' for rows that were not uploaded
    add column state       text not null default 'approved'
        check (state in ('proposed', 'approved', 'refused', 'superseded', 'withdrawn')),
    add column declared_to date,                            -- last day as uploaded, where a later mapping cut the period
    add column doubts      text[] not null default '{}',    -- why it was not approved at once, in Chinese
    add column proposed_at timestamptz,                     -- 3301; null: brought in by the agency
    add column decided_at  timestamptz,
    add column decided_by  text not null default '',        -- 'auto', or who decided at the agency
    add column decision    text not null default '';        -- the reason given
alter table institutions.item_mapping drop constraint item_mapping_pkey;
alter table institutions.item_mapping add primary key (fixmedins_code, list_type, medins_list_codg, revision);
create index item_mapping_by_own_code on institutions.item_mapping (fixmedins_code, medins_list_codg);
create unique index item_mapping_by_id on institutions.item_mapping (mapping_id) where mapping_id <> '';
create index item_mapping_waiting on institutions.item_mapping (admdvs, proposed_at) where state = 'proposed';
create index item_mapping_uploaded on institutions.item_mapping (fixmedins_code) where proposed_at is not null;
revoke delete on institutions.item_mapping from yibao_gateway;

-- ───────────────────────── departments ─────────────────────────

alter table institutions.department add column detail jsonb not null default '{}';  -- what 3401 and 3402 tell beside the columns
grant insert, update on institutions.department to yibao_gateway;

create table institutions.department_change (   -- what was told when: 3401, 3402, 3403
    fixmedins_code text not null,
    dept_code      text not null,
    change_id      text not null,
    admdvs         text not null,
    kind           text not null check (kind in ('opened', 'reopened', 'changed', 'closed')),
    content        jsonb not null,
    changed_at     timestamptz not null,
    primary key (fixmedins_code, dept_code, change_id)
);
grant select, insert on institutions.department_change to yibao_gateway;
grant select on institutions.department_change to yibao_portal;
create index encounter_in_hospital on encounters.encounter (fixmedins_code, dept_code) where state = 'admitted';

-- ───────────────────────── editions of the catalogue ─────────────────────────

-- catalogue.item holds the latest edition's row of a code; what earlier editions said of it stands here.
create table catalogue.former_item (like catalogue.item including defaults including constraints);
alter table catalogue.former_item add primary key (code, valid_from);
alter table catalogue.former_item alter column valid_to set not null;      -- it ends where the next edition's row begins
alter table catalogue.former_item add column listed_to date;               -- the end that its own edition printed

create table catalogue.successor (              -- a retired code and what took its place; the loader checks both codes
    code       text not null,
    successor  text not null,
    valid_from date not null,                   -- first day of the new code
    source     text not null,
    primary key (code, successor),
    check (code <> successor)
);
create table catalogue.edition (                -- every load that changed something
    part      text not null,
    loaded_at timestamptz not null,
    version   text not null,
    digest    text not null,
    rows      bigint not null,
    changed   bigint not null,
    source    text not null,
    primary key (part, loaded_at, digest)
);
grant select on catalogue.former_item, catalogue.successor, catalogue.edition to yibao_gateway, yibao_portal;

-- ───────────────────────── stock and traceability codes ─────────────────────────

create schema if not exists dispensing;
grant usage on schema dispensing to yibao_gateway, yibao_portal, yibao_worker;

create table dispensing.stock_record (          -- 3501-3506, one row per uploaded record
    fixmedins_code text not null,
    record_id      text not null,               -- ordered by upload
    admdvs         text not null,
    kind           text not null check (kind in
        ('count', 'change', 'purchase', 'supplier_return', 'sale', 'sale_return')),
    bchno          text not null,               -- fixmedins_bchno, the institution's own batch serial
    own_code       text not null,               -- fixmedins_hilist_id
    item_code      text not null,
    name           text not null,
    change_type    text not null default '',    -- table inv_chg_type
    quantity_e4    bigint not null check (quantity_e4 >= 0),
    delta_e4       bigint not null,             -- what it adds to the stock; 0 for a count, which sets it
    price_micro    bigint,
    rx_flag        text not null default '',
    is_split       boolean not null default false,          -- trdn_flag: sold in pieces of a pack
    lot            text not null default '',
    made_on        date,
    expires_on     date,
    occurred_at    timestamptz not null,
    origin_id      text not null default '',    -- the sale or purchase that a return names
    setl_id        text not null default '',
    mdtrt_id       text not null default '',
    psn_no         text not null default '',
    cert_digest    bytea,                       -- SM3 of the buyer's certificate, never the number
    state          text not null default 'valid' check (state in ('valid', 'deleted')),
    detail         jsonb not null default '{}',
    opter          text not null default '',
    recorded_at    timestamptz not null,
    deleted_at     timestamptz,
    primary key (fixmedins_code, record_id)
);
create index stock_record_by_batch on dispensing.stock_record (fixmedins_code, bchno, kind);
create index stock_record_by_item on dispensing.stock_record (fixmedins_code, own_code, bchno);
create index stock_record_by_buyer on dispensing.stock_record (fixmedins_code, cert_digest) where cert_digest is not null;

create table dispensing.stock (                 -- what is there now, by own item and batch; may be negative, and is said so
    fixmedins_code text not null,
    own_code       text not null,
    bchno          text not null,
    admdvs         text not null,
    stock_id       text not null,
    item_code      text not null,
    name           text not null,
    quantity_e4    bigint not null,
    counted_on     date,                        -- day of the last count
    moved_on       date not null,               -- day of the last count or movement
    rx_flag        text not null default '',
    is_split       boolean not null default false,
    lot            text not null default '',
    made_on        date,
    expires_on     date,
    memo           text not null default '',
    updated_at     timestamptz not null,
    primary key (fixmedins_code, own_code, bchno)
);

create table dispensing.trace_code (            -- one row per traceability code, whichever institution told of it
    trace_code     text primary key,
    admdvs         text not null,
    fixmedins_code text not null,               -- who told of it last
    item_code      text not null,
    own_code       text not null,
    bchno          text not null,
    is_virtual     boolean not null default false,          -- 3592B: stands for a batch, not for a pack
    whole_sold     integer not null default 0 check (whole_sold >= 0),   -- whole packs sold less returned
    split_sold     integer not null default 0 check (split_sold >= 0),
    seller         text not null default '',    -- of the last sale
    sold_at        timestamptz,
    updated_at     timestamptz not null
);
create unique index trace_code_virtual on dispensing.trace_code (fixmedins_code, own_code, bchno, item_code) where is_virtual;

create table dispensing.trace_event (           -- which code went with which record
    fixmedins_code text not null,
    record_id      text not null,
    trace_code     text not null,
    admdvs         text not null,
    effect         smallint not null check (effect in (-1, 0, 1)),       -- on the packs sold
    is_split       boolean not null default false,
    state          text not null default 'valid' check (state in ('valid', 'deleted')),
    primary key (fixmedins_code, record_id, trace_code)
);
create index trace_event_by_code on dispensing.trace_event (trace_code);

create table dispensing.trace_alert (           -- a code sold again, or sold as another drug
    fixmedins_code text not null,               -- who sold it the second time
    record_id      text not null,
    trace_code     text not null,
    admdvs         text not null,
    reason         text not null check (reason in ('sold_twice', 'sold_after_split', 'other_item', 'virtual_elsewhere')),
    earlier_seller text not null default '',
    earlier_at     timestamptz,
    raised_at      timestamptz not null,
    primary key (fixmedins_code, record_id, trace_code, reason)
);
create index trace_alert_by_time on dispensing.trace_alert (admdvs, raised_at);

grant select, insert, update on dispensing.stock_record, dispensing.stock, dispensing.trace_code, dispensing.trace_event
    to yibao_gateway;
grant select, insert on dispensing.trace_alert to yibao_gateway;
grant select on dispensing.stock_record, dispensing.stock, dispensing.trace_code, dispensing.trace_event,
    dispensing.trace_alert to yibao_portal;
