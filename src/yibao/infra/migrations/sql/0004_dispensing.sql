-- E-prescriptions, and what was dispensed on them. The stock of institutions is another revision.
-- A drug is never dispensed beyond what was prescribed: prescription_line counts, and its check holds whoever writes.

create schema dispensing;
grant usage on schema dispensing to yibao_gateway, yibao_portal, yibao_worker;

-- 7102: what the platform signed for an institution. The file itself comes back with 7103.
create table dispensing.signature (
    fixmedins_code text not null,
    sign_value     text not null,
    admdvs         text not null,
    file_digest    bytea not null,              -- SM3 of the signed file
    text_digest    bytea not null,              -- SM3 of the signed text
    signed_at      timestamptz not null,
    hi_rxno        text,                        -- the prescription it was used for
    primary key (fixmedins_code, sign_value)
);

create table dispensing.prescription (
    psn_no         text not null,
    hi_rxno        text not null,
    admdvs         text not null,
    trace_code     text not null,               -- rxTraceCode: drawn, not counted; also what the patient's QR code says
    fixmedins_code text not null,               -- who prescribed
    mdtrt_id       text not null,
    hosp_rxno      text not null,
    attribute      text not null default '',    -- rxExraAttrCode: 01 dual channel, 02 pooled outpatient
    prescribed_at  timestamptz not null,
    valid_until    timestamptz not null,        -- the last instant
    uses_max       integer not null check (uses_max > 0),
    interval_days  integer not null check (interval_days >= 0),
    state          text not null check (state in ('checked', 'valid', 'cancelled')),
    checked_at     timestamptz not null,
    uploaded_at    timestamptz,
    cancelled_at   timestamptz,
    sign_value     text,
    file_digest    bytea,
    file           bytea,
    document       jsonb not null,              -- as it was sent, for whoever may ask
    primary key (psn_no, hi_rxno),
    check (state <> 'valid' or (uploaded_at is not null and file_digest is not null))
);
create unique index prescription_by_number on dispensing.prescription (hi_rxno);
create unique index prescription_by_trace_code on dispensing.prescription (trace_code);
create unique index prescription_by_own_number on dispensing.prescription (fixmedins_code, hosp_rxno) where state <> 'cancelled';

create table dispensing.prescription_line (
    psn_no        text not null,
    hi_rxno       text not null,
    item_code     text not null,
    admdvs        text not null,
    ordinal       integer not null,
    use_e4        bigint not null check (use_e4 > 0),      -- for one use, ten-thousandths of the unit
    allowed_e4    bigint not null check (allowed_e4 >= use_e4),   -- over all uses
    dispensed_e4  bigint not null default 0,
    is_approved   boolean not null,             -- hospApprFlag: the hospital approved a restricted drug
    primary key (psn_no, hi_rxno, item_code),
    check (dispensed_e4 between 0 and allowed_e4)
);

-- 7201-7206: a pharmacy's way to a prescription.
create table dispensing.authorisation (
    psn_no          text not null,
    auth_rxno       text not null,
    hi_rxno         text not null,
    admdvs          text not null,
    fixmedins_code  text not null,              -- the pharmacy
    way             text not null check (way in ('credential', 'online', 'code')),
    token_digest    bytea not null,             -- SM3 of the token, never the token
    expires_at      timestamptz not null,
    granted_at      timestamptz not null,
    state           text not null check (state in ('granted', 'downloaded', 'verified', 'passed', 'failed')),
    verify_sn       text,
    review_sn       text,                       -- in the order of the reviews
    reviewed_at     timestamptz,
    opinion         text not null default '',
    pharmacist_code text not null default '',
    pharmacist_name text not null default '',
    primary key (psn_no, auth_rxno)
);
create unique index authorisation_by_number on dispensing.authorisation (auth_rxno);
create index authorisation_by_prescription on dispensing.authorisation (psn_no, hi_rxno);

-- What left a pharmacy in an insured bill (2102, 2204).
create table dispensing.dispensed (
    psn_no         text not null,
    mdtrt_id       text not null,
    feedetl_sn     text not null,
    admdvs         text not null,
    hi_rxno        text not null,
    item_code      text not null,
    fixmedins_code text not null,
    quantity_e4    bigint not null check (quantity_e4 > 0),
    at             timestamptz not null,
    state          text not null check (state in ('taken', 'returned')),
    primary key (psn_no, mdtrt_id, feedetl_sn)
);
create index dispensed_by_prescription on dispensing.dispensed (psn_no, hi_rxno);

-- What a pharmacy told of drugs that left it (7207), paid by insurance or in cash.
create table dispensing.handed_out (
    psn_no         text not null,
    stoout_sn      text not null,
    admdvs         text not null,
    hi_rxno        text not null,
    item_code      text not null,
    fixmedins_code text not null,
    quantity_e4    bigint not null check (quantity_e4 > 0),
    is_insured     boolean not null,
    at             timestamptz not null,
    state          text not null check (state in ('taken', 'returned')),
    document       jsonb not null,
    primary key (psn_no, stoout_sn)
);
create index handed_out_by_prescription on dispensing.handed_out (psn_no, hi_rxno);

-- What each pharmacy took of each drug of these prescriptions. A pharmacy tells of the same boxes twice, in the insured
-- bill and in its details, in either order: the larger of the two counts; what was paid in cash is told once.
create function dispensing.takings(p_psn_no text, p_numbers text[])
returns table (hi_rxno text, item_code text, fixmedins_code text, settled_e4 bigint, issued_e4 bigint, cash_e4 bigint, last_at timestamptz)
language sql stable as $$
    select t.hi_rxno, t.item_code, t.fixmedins_code, sum(t.settled)::bigint, sum(t.issued)::bigint, sum(t.cash)::bigint, max(t.at)
    from (select d.hi_rxno, d.item_code, d.fixmedins_code, d.quantity_e4 as settled, 0 as issued, 0 as cash, d.at
            from dispensing.dispensed d
           where d.psn_no = p_psn_no and d.hi_rxno = any (p_numbers) and d.state = 'taken'
          union all
          select h.hi_rxno, h.item_code, h.fixmedins_code, 0, case when h.is_insured then h.quantity_e4 else 0 end,
                 case when h.is_insured then 0 else h.quantity_e4 end, h.at
            from dispensing.handed_out h
           where h.psn_no = p_psn_no and h.hi_rxno = any (p_numbers) and h.state = 'taken') t
    group by t.hi_rxno, t.item_code, t.fixmedins_code
$$;

-- Count anew what these prescriptions have given; fails with check_violation where it is more than prescribed.
create function dispensing.count_taken(p_psn_no text, p_numbers text[]) returns void language sql as $$
    update dispensing.prescription_line l set dispensed_e4 = coalesce(
        (select sum(t.cash_e4 + greatest(t.settled_e4, t.issued_e4)) from dispensing.takings(p_psn_no, array[l.hi_rxno]) t
          where t.item_code = l.item_code), 0)
    where l.psn_no = p_psn_no and l.hi_rxno = any (p_numbers)
$$;

-- What a sale on a prescription is judged by: one row per prescribed drug, whoever's prescription it is.
create type dispensing.prescribed as (
    hi_rxno text, psn_no text, admdvs text, fixmedins_code text, state text, attribute text,
    prescribed_at timestamptz, valid_until timestamptz, interval_days integer, review text,
    item_code text, use_e4 bigint, allowed_e4 bigint, dispensed_e4 bigint, is_approved boolean,
    settled_e4 bigint, issued_e4 bigint, cash_e4 bigint, last_at timestamptz
);
create function dispensing.prescribed_of(p_numbers text[], p_pharmacy text)
returns setof dispensing.prescribed language sql stable as $$
    select p.hi_rxno, p.psn_no, p.admdvs, p.fixmedins_code, p.state, p.attribute, p.prescribed_at, p.valid_until,
           p.interval_days,
           coalesce((select a.state from dispensing.authorisation a
             where a.psn_no = p.psn_no and a.hi_rxno = p.hi_rxno and a.fixmedins_code = p_pharmacy
               and a.review_sn is not null
             order by a.review_sn desc limit 1), ''),
           l.item_code, l.use_e4, l.allowed_e4, l.dispensed_e4, l.is_approved,
           coalesce(t.settled_e4, 0), coalesce(t.issued_e4, 0), coalesce(t.cash_e4, 0),
           (select max(x.last_at) from dispensing.takings(p.psn_no, array[p.hi_rxno]) x)
    from dispensing.prescription p
    join dispensing.prescription_line l on l.psn_no = p.psn_no and l.hi_rxno = p.hi_rxno
    left join lateral dispensing.takings(p.psn_no, array[p.hi_rxno]) t
        on t.item_code = l.item_code and t.fixmedins_code = p_pharmacy
    where p.hi_rxno = any (p_numbers)
    order by p.hi_rxno, l.ordinal
$$;

grant select on all tables in schema dispensing to yibao_gateway, yibao_portal;
grant insert on all tables in schema dispensing to yibao_gateway;
grant update (state, uploaded_at, cancelled_at, sign_value, file_digest, file, document) on dispensing.prescription to yibao_gateway;
grant update (hi_rxno) on dispensing.signature to yibao_gateway;
grant update (dispensed_e4) on dispensing.prescription_line to yibao_gateway;
grant update on dispensing.authorisation to yibao_gateway;
grant update (state) on dispensing.dispensed, dispensing.handed_out to yibao_gateway;
grant delete on dispensing.dispensed to yibao_gateway;
grant execute on all functions in schema dispensing to yibao_gateway, yibao_portal;
