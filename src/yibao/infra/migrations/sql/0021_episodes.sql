-- Episodes of care that a window holds up: noted by the institution, their cash, their way to a settlement or a claim.

create schema episodes;
grant usage on schema episodes to yibao_gateway, yibao_portal, yibao_worker, yibao_agency;

create table episodes.episode (
    psn_no           text not null,
    episode_id       text not null,
    admdvs           text not null,             -- where the person is insured
    care_admdvs      text not null,             -- where he or she is treated
    fixmedins_code   text not null,             -- of the institution; of one outside: as its papers say
    institution_name text not null default '',  -- only of one outside
    kind             text not null check (kind in ('outpatient', 'stay', 'sale')),
    visit_no         text not null check (visit_no <> ''),  -- ipt_otp_no; of a sale its invoice (invono)
    insutype         text not null,
    visit_class      text not null,             -- outpatient, chronic, inpatient, maternity, drug
    business         text not null,
    begin_at         timestamptz not null,
    end_at           timestamptz,               -- null: still there
    is_urgent        boolean not null default false,
    position         text not null check (position ~ '^(P[1-9])?$'),    -- '' where the cause is another than the window
    disposition      text not null check (disposition in ('settle_before', 'interim_settle', 'cancel_and_reregister',
        'convert_self_pay', 'hold_open', 'deposit', 'pay_full_backfill', 'capture_credential', 'manual_reimburse')),
    rule_id          text not null,
    cause            text not null default '',
    plan             text not null,
    plan_version     integer not null,
    register_no      text not null default '',
    state            text not null check (state in ('held', 'entered', 'settled', 'claimed', 'returned', 'lapsed', 'withdrawn')),
    mdtrt_id         text not null default '',
    setl_id          text not null default '',
    earlier_mdtrt_id text not null default '',  -- admission that was undone and that this one replaces
    total_fen        bigint not null default 0 check (total_fen >= 0),      -- 0: not known yet
    deposit_fen      bigint not null default 0 check (deposit_fen >= 0),
    paid_fen         bigint not null default 0 check (paid_fen >= deposit_fen),  -- cash given: deposits and payments
    due_fen          bigint not null default 0 check (due_fen >= 0),        -- cash of the settlement
    back_fen         bigint not null default 0 check (back_fen >= 0),
    topup_fen        bigint not null default 0 check (topup_fen >= 0),
    settle_by        date,                      -- last day of backfill, manual after it; null: no last day
    self_pay_from    timestamptz,               -- carried as a self-paying patient since
    self_pay_to      timestamptz,               -- half-open; null while it lasts
    credential       jsonb not null default '{}',
    claim_id         text not null default '',
    noted_at         timestamptz not null,      -- as the institution says: off line it is before received_at
    noted_by         text not null,
    received_at      timestamptz not null,
    channel          text not null,
    reorder          boolean not null default false,   -- later settlements of the year have to be settled again
    says             text not null default '',
    primary key (psn_no, episode_id),
    check (end_at >= begin_at),
    check (self_pay_to >= self_pay_from),
    check (back_fen = 0 or topup_fen = 0),
    check (case state when 'settled' then paid_fen + topup_fen = due_fen + back_fen and setl_id <> '' and mdtrt_id <> ''
                      when 'returned' then back_fen = paid_fen and topup_fen = 0 and due_fen = 0 and setl_id = ''
                      when 'withdrawn' then paid_fen = back_fen and topup_fen = 0 and due_fen = 0 and setl_id = ''
                      else due_fen = 0 and back_fen = 0 and topup_fen = 0 and setl_id = '' end),
    check (state <> 'entered' or mdtrt_id <> ''),
    check ((state = 'claimed') = (claim_id <> ''))
);
-- An institution's number stands for one case.
create unique index episode_by_visit on episodes.episode (fixmedins_code, kind, visit_no)
    where state not in ('withdrawn', 'returned');
create index episode_open on episodes.episode (admdvs, state, settle_by) where state in ('held', 'entered', 'lapsed');
create index episode_by_settlement on episodes.episode (psn_no, setl_id) where setl_id <> '';
create index episode_to_reorder on episodes.episode (admdvs) where reorder;

create table episodes.cash (                    -- what went over the institution's counter; only ever added to
    psn_no         text not null,
    episode_id     text not null,
    ordinal        integer not null,
    admdvs         text not null,
    fixmedins_code text not null,
    kind           text not null check (kind in ('deposit', 'payment', 'topup', 'undo_refund', 'refund', 'return', 'undo_topup')),
    amount_fen     bigint not null,             -- into the institution positive, out of it negative
    receipt_no     text not null default '',
    setl_id        text not null default '',
    at             timestamptz not null,
    actor          text not null,
    primary key (psn_no, episode_id, ordinal),
    check (case when kind in ('deposit', 'payment', 'topup', 'undo_refund') then amount_fen > 0 else amount_fen < 0 end)
);
create unique index cash_by_receipt on episodes.cash (fixmedins_code, receipt_no) where receipt_no <> '';

create table episodes.step (                    -- everything that happened to an episode; only ever added to
    psn_no     text not null,
    episode_id text not null,
    ordinal    integer not null,
    admdvs     text not null,
    what       text not null,
    state      text not null,                   -- after it
    at         timestamptz not null,
    actor      text not null,
    channel    text not null,
    says       text not null default '',
    primary key (psn_no, episode_id, ordinal)
);

create table episodes.remote_filing (           -- care away from home, filed after the stop, back to the day of admission
    psn_no           text not null,
    filing_id        text not null,
    admdvs           text not null,
    insutype         text not null,
    kind             text not null,             -- word of the law: temporary, referred, registered, own_choice, emergency
    care_admdvs      text not null,
    fixmedins_code   text not null,
    institution_name text not null,
    valid_from       date not null,
    valid_to         date,                      -- half-open; null: to the discharge
    plan             text not null,
    rule_id          text not null,
    register_no      text not null,
    episode_id       text not null default '',
    filed_at         timestamptz not null,
    filed_by         text not null,
    primary key (psn_no, filing_id),
    check (valid_to > valid_from)
);

grant select, insert on episodes.remote_filing to yibao_agency, yibao_worker;
grant select on episodes.remote_filing to yibao_gateway, yibao_portal;
grant select, insert, update on episodes.episode to yibao_gateway, yibao_agency, yibao_worker;
grant select, insert on episodes.cash, episodes.step to yibao_gateway, yibao_agency, yibao_worker;
-- An admission that is undone for a window: its lines go, or move to the one that takes its place.
grant select, delete, update (mdtrt_id) on encounters.fee_line to yibao_agency;
grant select, update (state) on encounters.encounter to yibao_agency;
grant select on encounters.stay, settlements.stay_in_force, settlements.stay_settlement to yibao_agency;
-- Its register row goes with an episode.
grant select, update on registers.entry to yibao_gateway, yibao_agency, yibao_worker;
grant select, insert on registers.step to yibao_gateway, yibao_agency, yibao_worker;
grant select on episodes.episode, episodes.cash, episodes.step to yibao_portal;

-- One more step, and one more cash row, under the next number. The caller holds the person.
create function episodes.add_step(
    e episodes.episode, p_what text, p_at timestamptz, p_actor text, p_channel text, p_says text
) returns void language sql as $$
    insert into episodes.step (psn_no, episode_id, ordinal, admdvs, what, state, at, actor, channel, says)
        select e.psn_no, e.episode_id, coalesce(max(s.ordinal), 0) + 1, e.admdvs, p_what, e.state, p_at, p_actor, p_channel,
               p_says
        from episodes.step s where s.psn_no = e.psn_no and s.episode_id = e.episode_id
$$;
create function episodes.add_cash(
    e episodes.episode, p_kind text, p_amount_fen bigint, p_receipt_no text, p_setl_id text, p_at timestamptz, p_actor text
) returns void language sql as $$
    insert into episodes.cash (psn_no, episode_id, ordinal, admdvs, fixmedins_code, kind, amount_fen, receipt_no, setl_id, at,
                               actor)
        select e.psn_no, e.episode_id, coalesce(max(c.ordinal), 0) + 1, e.admdvs, e.fixmedins_code, p_kind, p_amount_fen,
               p_receipt_no, p_setl_id, p_at, p_actor
        from episodes.cash c where c.psn_no = e.psn_no and c.episode_id = e.episode_id
        having p_amount_fen <> 0
$$;

-- The row of an episode in a register goes with it; nothing to do where it has none.
create function episodes.move_entry(e episodes.episode, p_at timestamptz, p_actor text, p_channel text) returns void
language plpgsql as $$
declare v_state text := case e.state when 'settled' then 'done' when 'returned' then 'done' when 'claimed' then 'claimed'
                            when 'withdrawn' then 'withdrawn' when 'lapsed' then 'lapsed' when 'entered' then 'ready'
                            else 'received' end;
        v_ended timestamptz := case when e.state not in ('held', 'entered') then p_at end;
        v_kind text;
        v_share integer;
begin
    if e.register_no = '' then return; end if;
    -- A row of late filings ends with the filing and opens no more; there is no money in it, nor in plain intake.
    select r.kind into v_kind from registers.entry r where r.admdvs = e.admdvs and r.register_no = e.register_no
        and (r.kind <> 'late_filing' or (r.ended_at is null and v_ended is not null)) for update;
    if v_kind is null then return; end if;
    v_share := case when v_kind in ('late_filing', 'counter_intake') then 0 else 1 end;
    update registers.entry r set state = v_state, ended_at = v_ended, answered_at = v_ended,
            answered_by = case when v_ended is null then '' else coalesce(nullif(p_actor, ''), 'system') end,
            reason = case e.state when 'withdrawn' then '机构撤销登记' when 'lapsed' then '超过补录期限' else '' end,
            result = case e.state when 'settled' then e.setl_id when 'claimed' then e.claim_id when 'returned' then '已全额退还'
                         else '' end,
            due_on = e.settle_by,
            amount_fen = v_share * greatest(e.total_fen, e.paid_fen), paid_fen = v_share * e.paid_fen,
            -- What is claimed or lapsed was paid in full as far as the institution goes: it owes nothing back.
            due_fen = v_share * case when e.state in ('claimed', 'lapsed') then e.paid_fen else e.due_fen end,
            back_fen = v_share * e.back_fen, topup_fen = v_share * e.topup_fen
        where r.admdvs = e.admdvs and r.register_no = e.register_no;
    insert into registers.step (admdvs, register_no, ordinal, what, state, at, actor, channel, says)
        select e.admdvs, e.register_no, coalesce(max(s.ordinal), 0) + 1, 'episode_' || e.state, v_state, p_at, p_actor,
               p_channel, ''
        from registers.step s where s.admdvs = e.admdvs and s.register_no = e.register_no;
end $$;

-- A settlement settles an episode: cash goes back or is topped up in the same act. In one statement with
-- settlements.write, after it, so under the person's version. p_due_fen is the cash of the settlement. Nothing to do
-- where p_episode_id is null.
create function episodes.settle(
    p_psn_no text, p_episode_id text, p_setl_id text, p_mdtrt_id text, p_due_fen bigint, p_at timestamptz, p_actor text,
    p_reorder boolean
) returns void language plpgsql as $$
declare e episodes.episode;
begin
    if p_episode_id is null then return; end if;
    update episodes.episode x set state = 'settled', setl_id = p_setl_id, mdtrt_id = p_mdtrt_id, due_fen = p_due_fen,
            back_fen = greatest(x.paid_fen - p_due_fen, 0), topup_fen = greatest(p_due_fen - x.paid_fen, 0),
            reorder = p_reorder
        where x.psn_no = p_psn_no and x.episode_id = p_episode_id and x.state in ('held', 'entered')
        returning x.* into e;
    if e.psn_no is null then raise exception 'the episode has moved on' using errcode = 'YB001'; end if;
    perform episodes.add_cash(e, 'refund', -e.back_fen, '', p_setl_id, p_at, p_actor);
    perform episodes.add_cash(e, 'topup', e.topup_fen, '', p_setl_id, p_at, p_actor);
    perform episodes.add_step(e, 'settled', p_at, p_actor, 'gateway', p_setl_id);
    perform episodes.move_entry(e, p_at, p_actor, 'gateway');
end $$;

-- The settlement of an episode is reversed: the episode is entered again with its money as it was. Returns whether there
-- was one.
create function episodes.unsettle(p_psn_no text, p_setl_id text, p_at timestamptz, p_actor text)
returns boolean language plpgsql as $$
declare e episodes.episode; o episodes.episode;
begin
    select x.* into o from episodes.episode x where x.psn_no = p_psn_no and x.setl_id = p_setl_id and x.state = 'settled';
    if o.psn_no is null then return false; end if;
    update episodes.episode x set state = 'entered', setl_id = '', due_fen = 0, back_fen = 0, topup_fen = 0
        where x.psn_no = o.psn_no and x.episode_id = o.episode_id returning x.* into e;
    perform episodes.add_cash(e, 'undo_refund', o.back_fen, '', p_setl_id, p_at, p_actor);
    perform episodes.add_cash(e, 'undo_topup', -o.topup_fen, '', p_setl_id, p_at, p_actor);
    perform episodes.add_step(e, 'unsettled', p_at, p_actor, 'gateway', p_setl_id);
    perform episodes.move_entry(e, p_at, p_actor, 'gateway');
    return true;
end $$;

-- The settlement of an episode is replaced by another one (settled again in its order): its cash follows by the difference.
-- Returns by how much the patient's cash changed: positive: he or she owes it, negative: it goes back.
create function episodes.resettle(
    p_psn_no text, p_setl_id text, p_new_setl_id text, p_due_fen bigint, p_at timestamptz, p_actor text
) returns bigint language plpgsql as $$
declare e episodes.episode; v_change bigint;
begin
    select x.* into e from episodes.episode x where x.psn_no = p_psn_no and x.setl_id = p_setl_id and x.state = 'settled';
    if e.psn_no is null then return 0; end if;
    v_change := p_due_fen - e.due_fen;
    update episodes.episode x set setl_id = p_new_setl_id, due_fen = p_due_fen,
            back_fen = greatest(x.paid_fen - p_due_fen, 0), topup_fen = greatest(p_due_fen - x.paid_fen, 0)
        where x.psn_no = e.psn_no and x.episode_id = e.episode_id returning x.* into e;
    perform episodes.add_cash(e, 'topup', greatest(v_change, 0), '', p_new_setl_id, p_at, p_actor);
    perform episodes.add_cash(e, 'refund', least(v_change, 0), '', p_new_setl_id, p_at, p_actor);
    perform episodes.add_step(e, 'resettled', p_at, p_actor, 'worker', p_new_setl_id);
    perform episodes.move_entry(e, p_at, p_actor, 'worker');
    return v_change;
end $$;
