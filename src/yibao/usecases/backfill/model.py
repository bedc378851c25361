"""What a settlement knows of the window that its care fell into: the care as it was given, and what follows for its money."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec

from yibao.domains.episodes.model import Episode
from yibao.domains.settlements.model import Settlement
from yibao.kernel.money import yuan_text


class Care(msgspec.Struct, frozen=True, kw_only=True):
    """Care that somebody asks to have settled, as the plan of a window sees it.

    Attributes:
        admdvs: where the person is insured; ``care_admdvs`` where he or she is treated.
        kind: ``outpatient``, ``stay`` or ``sale``; ``business`` one of data/windows/businesses.csv.
        visit_no: the institution's own number; of a sale its invoice, ``""`` where it names none.
        end: None while a stay goes on. ``is_part``: something of a stay is settled in between.
        field: where the messages of this way name the visit.
    """

    mdtrt_id: str
    admdvs: str
    care_admdvs: str
    fixmedins_code: str
    insutype: str
    psn_type: str
    kind: str
    business: str
    visit_class: str
    institution: str
    visit_no: str
    invono: str
    begin: datetime
    end: datetime | None
    amount_fen: int
    is_part: bool
    field: str


class Backfill(msgspec.Struct, frozen=True, kw_only=True):
    """A settlement that a window has made late.

    Attributes:
        episode: what the institution noted, None where nobody did or where another bill of the visit settled it.
        plan, plan_version, rule_id, position: by which it is taken; empty where the plan says nothing of the case.
        disposition: what the plan does with the money of it.
    """

    care: Care
    episode: Episode | None
    plan: str
    plan_version: int
    rule_id: str
    position: str
    disposition: str

    def entry(self, s: Settlement) -> tuple[Any, ...]:
        """Return the row of ``backfill.late_entry`` for a settlement; the statement itself finds out about the order."""
        return (
            s.psn_no, s.mdtrt_id, s.chrg_bchno, s.admdvs, s.fixmedins_code, s.insutype, s.year, s.service_on,
            self.care.end or self.care.begin, self._settles(), self.plan, self.plan_version, self.rule_id, self.position,
            s.settled_at, False,
        )

    def unnoted(self, s: Settlement) -> tuple[Any, ...] | None:
        """Return the row of ``episodes.episode`` for what nobody noted while the window lasted, None if none is to be made."""
        care = self.care
        if self.episode is not None or not self.rule_id or care.is_part or not care.visit_no:
            return None
        return msgspec.structs.astuple(Episode(
            psn_no=s.psn_no, episode_id=s.setl_id, admdvs=s.admdvs, care_admdvs=s.care_admdvs,
            fixmedins_code=s.fixmedins_code, kind=care.kind, visit_no=care.visit_no, insutype=s.insutype,
            visit_class=care.visit_class, business=care.business, begin_at=care.begin, end_at=care.end,
            position=self.position, disposition=self.disposition, rule_id=self.rule_id, plan=self.plan,
            plan_version=self.plan_version, total_fen=s.medfee_fen, noted_at=s.settled_at, noted_by=s.opter,
            received_at=s.settled_at, channel="gateway", says="恢复后补录时登记",
        ))

    def words(self, s: Settlement) -> str:
        """Return what the institution has to do with the patient's cash, in a sentence; ``""`` where there is nothing."""
        if not self.rule_id:
            return ""
        due = f"本次现金应付{yuan_text(s.cash_fen)}元"
        if not self._settles():
            told = "停机期间没有登记过收款" if self.episode is None else "停机期间的收款不在本次结清"
            return f"停机期间费用补录结算：{told}，{due}，请据此与患者结清"
        assert self.episode is not None
        change = s.cash_fen - self.episode.paid_fen
        done = f"应退还患者{yuan_text(-change)}元" if change < 0 else f"患者应补交{yuan_text(change)}元" if change else "不退不补"
        return f"停机期间费用补录结算：患者已交{yuan_text(self.episode.paid_fen)}元，{due}，{done}"

    def _settles(self) -> str:
        """Return the episode that this settles, ``""`` if none: its cash is that of the bill as a whole."""
        return "" if self.episode is None or self.care.is_part else self.episode.episode_id
