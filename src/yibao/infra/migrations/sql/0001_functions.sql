-- The two statements of the money path: gather the facts, write what was decided. No benefit rule stands
-- here. Lock order: message, turn, encounter, person.
--
-- Normally nothing is locked while Python decides: the facts carry the person's version, and the write
-- fails when the version has moved since (every writer of such facts moves it), or when somebody else has the
-- person's turn. After a conflict, and for every reversal, the turn is taken first, so that fifty tills that meet
-- one person cannot starve.

-- Everything a settlement of one charge batch is decided on.
create type settlements.facts as (
    admdvs text, care_admdvs text, fixmedins_code text, insutype text, med_type text, visit_state text,
    begin_at timestamptz, disease_code text, disease_name text,
    name text, cert_type text, certno text, sex text, nation text, birth_on date, died_on date, version bigint,
    service_on date,
    psn_type text, relation_status text, relation_reason text, account_kind text, civil_servant boolean,
    benefit_from date, benefit_to date, paid_months integer, identities text[], recognised text[], balance_fen bigint,
    counter_codes text[], counter_used bigint[],
    level text, kind text, traits text[],
    lines bigint, amount_fen bigint, own_fen bigint, over_fen bigint, first_fen bigint, scope_fen bigint,
    settled_id text
);

-- Gather the facts of a batch: one row, or none when there is no such encounter. One statement, so one snapshot:
-- the version belongs to exactly these facts. In plain SQL, so that the planner sees through it.
create function settlements.case_facts(p_psn_no text, p_mdtrt_id text, p_batch text)
returns setof settlements.facts language sql stable as $$
    select e.admdvs, e.care_admdvs, e.fixmedins_code, e.insutype, e.med_type, e.state, e.begin_at, e.disease_code,
           e.disease_name,
           p.name, p.cert_type, p.certno, p.sex, p.nation, p.birth_on, p.died_on, p.version, d.service_on,
           r.psn_type, r.status, r.status_reason, r.account_kind, r.civil_servant, r.benefit_from, r.benefit_to,
           r.paid_months,
           array(select x.identity_type from enrolment.special_identity x
                 where x.psn_no = p_psn_no and x.valid_from <= d.service_on
                   and (x.valid_to is null or x.valid_to > d.service_on) order by x.identity_type),
           array(select x.disease_code from applications.chronic_recognition x
                 where x.psn_no = p_psn_no and x.valid_from <= d.service_on
                   and (x.valid_to is null or x.valid_to > d.service_on) order by x.disease_code),
           a.balance_fen, k.codes, k.used, t.level, t.kind, t.traits, l.n, l.amount, l.own, l.over, l.first, l.scope,
           (select s.setl_id from settlements.settlement s
             where s.psn_no = p_psn_no and s.mdtrt_id = p_mdtrt_id and s.chrg_bchno = p_batch
               and s.kind = 'settlement' and s.state = 'active')
    from encounters.encounter e
    join people.person p on p.psn_no = e.psn_no
    join institutions.institution t on t.fixmedins_code = e.fixmedins_code
    -- Business time: the day of service is the visit's day in China.
    cross join lateral (select (e.begin_at at time zone 'Asia/Shanghai')::date as service_on) d
    left join lateral (
        select x.psn_type, x.status, x.status_reason, x.account_kind, x.civil_servant, x.benefit_from, x.benefit_to,
               x.paid_months
        from enrolment.relation x
        where x.psn_no = p_psn_no and x.insutype = e.insutype and x.insured_on <= d.service_on
        order by x.insured_on desc limit 1) r on true
    left join ledger.personal_account a on a.psn_no = p_psn_no
    cross join lateral (
        select array_agg(x.code) as codes, array_agg(x.used_fen) as used
        from settlements.counter x
        where x.psn_no = p_psn_no and x.year = extract(year from d.service_on)::integer and x.insutype = e.insutype) k
    cross join lateral (
        select count(*) as n, sum(x.amount_fen)::bigint as amount, sum(x.own_fen)::bigint as own,
               sum(x.over_fen)::bigint as over, sum(x.first_fen)::bigint as first, sum(x.scope_fen)::bigint as scope
        from encounters.fee_line x
        where x.psn_no = p_psn_no and x.mdtrt_id = p_mdtrt_id and x.chrg_bchno = p_batch) l
    where e.psn_no = p_psn_no and e.mdtrt_id = p_mdtrt_id
$$;

-- The turn of a person: an advisory lock that only settlements and reversals take. A settlement that met another one waits
-- for it once and then cannot be overtaken, without a transaction that stays open while Python decides.
create function settlements.turn_of(p_psn_no text) returns bigint language sql immutable as $$
    select hashtextextended('turn/' || p_psn_no, 0)
$$;

-- The facts in the person's turn, which this session holds from now on: settlements.write gives it back with its commit,
-- settlements.give_turn_back without one. facts is null when the message was answered before, or when there is no such
-- encounter.
create function settlements.take_turn(
    p_sender text, p_msgid text, p_psn_no text, p_mdtrt_id text, p_batch text,
    out stored_state text, out stored_infno text, out stored_digest bytea, out stored_reply bytea,
    out facts settlements.facts
) language plpgsql as $$
begin
    perform pg_advisory_lock(settlements.turn_of(p_psn_no));
    -- Looked for in our turn: the same message sent twice may have been settled while we waited.
    select m.state, m.infno, m.request_digest, m.reply
        into stored_state, stored_infno, stored_digest, stored_reply
        from platform.message m where m.sender = p_sender and m.msgid = p_msgid;
    if stored_state is null then
        select f.* into facts from settlements.case_facts(p_psn_no, p_mdtrt_id, p_batch) f;
        if not found then facts := null; end if;
    end if;
end $$;

create function settlements.give_turn_back(p_psn_no text) returns void language sql as $$
    select pg_advisory_unlock(settlements.turn_of(p_psn_no))
$$;

-- Gather what a reversal is decided on. The settlement is named either by its id (2208) or by the
-- message that made it (2601, p_original). Row: is_known = false when there is nothing of that name.
create function settlements.open_reversal(
    p_sender text, p_msgid text, p_psn_no text, p_setl_id text, p_original text,
    out stored_state text, out stored_infno text, out stored_digest bytea, out stored_reply bytea,
    out original_state text, out original_infno text, out original_psn_no text,
    out is_known boolean, out settlement settlements.settlement, out origin_state text, out batch_taken boolean,
    out resettled_id text,
    out dependents text[], out balance_fen bigint, out posting ledger.posting,
    out counter_codes text[], out counter_used bigint[], out counter_caps bigint[]
) language plpgsql as $$
declare v_psn_no text := p_psn_no; v_setl_id text := p_setl_id; v_mdtrt_id text;
begin
    is_known := false;
    perform pg_advisory_xact_lock(hashtextextended(p_sender || '/' || p_msgid, 0));
    select m.state, m.infno, m.request_digest, m.reply
        into stored_state, stored_infno, stored_digest, stored_reply
        from platform.message m where m.sender = p_sender and m.msgid = p_msgid;
    if stored_state is not null then return; end if;
    if p_original is not null then
        -- A 2207 still on its way holds this lock until it is committed; we wait for it.
        perform pg_advisory_xact_lock(hashtextextended(p_sender || '/' || p_original, 0));
        select m.state, m.infno, m.psn_no, m.setl_id into original_state, original_infno, original_psn_no, v_setl_id
            from platform.message m where m.sender = p_sender and m.msgid = p_original;
        if v_setl_id is null then return; end if;
        v_psn_no := original_psn_no;
    end if;
    select s.mdtrt_id into v_mdtrt_id from settlements.settlement s where s.psn_no = v_psn_no and s.setl_id = v_setl_id;
    if v_mdtrt_id is null then return; end if;
    perform pg_advisory_xact_lock(settlements.turn_of(v_psn_no));
    perform 1 from encounters.encounter e where e.psn_no = v_psn_no and e.mdtrt_id = v_mdtrt_id for update;
    perform 1 from people.person p where p.psn_no = v_psn_no for no key update;
    select s.* into settlement from settlements.settlement s where s.psn_no = v_psn_no and s.setl_id = v_setl_id;
    select p.* into posting from ledger.posting p where p.psn_no = v_psn_no and p.posting_id = v_setl_id;
    select true, o.state, a.balance_fen,
           exists (select from settlements.settlement x where x.psn_no = v_psn_no and x.mdtrt_id = v_mdtrt_id
                   and x.chrg_bchno = settlement.chrg_bchno and x.kind = 'settlement' and x.state = 'active'),
           -- What the agency has settled anew in the institution's stead.
           (select x.setl_id from settlements.settlement x where x.psn_no = v_psn_no and x.mdtrt_id = v_mdtrt_id
               and x.chrg_bchno = settlement.chrg_bchno and x.kind = 'settlement' and x.state = 'active'
               and x.sender <> x.fixmedins_code),
           (select array_agg(x.setl_id order by x.settled_at, x.setl_id) from settlements.settlement x
             where x.psn_no = v_psn_no and x.year = settlement.year and x.insutype = settlement.insutype
               and x.kind = 'settlement' and x.state = 'active' and x.setl_id <> v_setl_id
               and x.counter_codes && settlement.counter_codes
               and (x.settled_at, x.setl_id) > (settlement.settled_at, settlement.setl_id)),
           k.codes, k.used, k.caps
        into is_known, origin_state, balance_fen, batch_taken, resettled_id, dependents, counter_codes, counter_used, counter_caps
        from ledger.posting p
        left join settlements.settlement o on o.psn_no = v_psn_no and o.setl_id = settlement.origin_id
        left join ledger.personal_account a on a.psn_no = v_psn_no
        left join lateral (
            select array_agg(x.code order by x.code) as codes, array_agg(x.used_fen order by x.code) as used,
                   array_agg(x.cap_fen order by x.code) as caps
            from settlements.counter x
            where x.psn_no = v_psn_no and x.year = settlement.year and x.insutype = settlement.insutype) k on true
        where p.psn_no = v_psn_no and p.posting_id = v_setl_id;
end $$;

-- Write one decided settlement, refund or reinstatement with everything that hangs on it, in one round trip.
-- p_settlement and p_posting come as whole rows; p_counter_used (the new totals: nobody else writes them now) and
-- p_counter_caps run beside the settlement's counters. p_version null: the caller holds the person's lock in a
-- transaction. p_in_turn: the session holds the person's turn and gives it back here.
create function settlements.write(
    p_settlement settlements.settlement, p_posting ledger.posting, p_counter_used bigint[], p_counter_caps bigint[],
    p_account_delta bigint, p_version bigint, p_in_turn boolean,
    p_origin_state text, p_grand_state text,
    p_message platform.message, p_audit_actor text, p_audit_verb text, p_audit_digest bytea
) returns void language plpgsql as $$
declare v_updated integer; v_has_turn boolean;
begin
    if p_version is not null then
        v_has_turn := pg_try_advisory_xact_lock(settlements.turn_of(p_settlement.psn_no));
        if not v_has_turn then raise exception 'somebody else has the turn' using errcode = 'YB001'; end if;
        -- The turn now ends with this transaction and not with the session.
        if p_in_turn then v_has_turn := pg_advisory_unlock(settlements.turn_of(p_settlement.psn_no)); end if;
    end if;
    -- The person first: who waits for the person must not hold a message id that another one waits for.
    update people.person p set version = p.version + 1
        where p.psn_no = p_settlement.psn_no and (p_version is null or p.version = p_version);
    get diagnostics v_updated = row_count;
    if v_updated <> 1 then raise exception 'the person has moved on' using errcode = 'YB001'; end if;
    insert into platform.message select (p_message).*;
    insert into settlements.settlement select (p_settlement).*;
    insert into ledger.posting select (p_posting).*;
    if cardinality(p_settlement.counter_codes) > 0 then
        insert into settlements.counter as c (psn_no, year, insutype, code, admdvs, used_fen, cap_fen)
            select p_settlement.psn_no, p_settlement.year, p_settlement.insutype, x.code, p_settlement.admdvs, x.used, x.cap
            from unnest(p_settlement.counter_codes, p_counter_used, p_counter_caps) x(code, used, cap)
            on conflict (psn_no, year, insutype, code) do update
                set used_fen = excluded.used_fen, cap_fen = excluded.cap_fen;
    end if;
    if p_account_delta <> 0 then
        update ledger.personal_account a set balance_fen = a.balance_fen + p_account_delta
            where a.psn_no = p_settlement.psn_no;
        get diagnostics v_updated = row_count;
        if v_updated <> 1 then raise exception 'no personal account to post to'; end if;
    end if;
    if p_origin_state is not null then
        update settlements.settlement s set state = p_origin_state
            where s.psn_no = p_settlement.psn_no and s.setl_id = p_settlement.origin_id and s.state = 'active';
        get diagnostics v_updated = row_count;
        if v_updated <> 1 then raise exception 'the settlement to reverse is not active'; end if;
    end if;
    if p_grand_state is not null then
        -- A reinstatement mirrors a refund; the settlement that the refund had reversed is valid again.
        update settlements.settlement s set state = p_grand_state
            from settlements.settlement r
            where r.psn_no = p_settlement.psn_no and r.setl_id = p_settlement.origin_id
              and s.psn_no = r.psn_no and s.setl_id = r.origin_id and s.state = 'reversed';
        get diagnostics v_updated = row_count;
        if v_updated <> 1 then raise exception 'the settlement to reinstate is not reversed'; end if;
    end if;
    insert into platform.audit_entry (id, at, actor, sender, channel, verb, object, admdvs, rule, digest)
        values (p_settlement.setl_id, p_settlement.settled_at, p_audit_actor, p_settlement.sender, 'gateway', p_audit_verb,
                p_settlement.setl_id, p_settlement.admdvs, p_settlement.policy_version, p_audit_digest);
end $$;
