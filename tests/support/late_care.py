"""Care that is entered long after it was given: an institution notes it while nothing runs, and sends it in afterwards.

Written from the interface alone, beside the till: every time in a message is that of the care.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from tests.support.till import Till, total
from tests.support.ward import Stay, Ward, wire
from tests.support.window_city import City, at
from yibao.domains.episodes.model import Episode
from yibao.domains.episodes.operations import add_cash, add_episode, add_step

_serials = itertools.count(1)


def fen(yuan: Any) -> int:
    """Return an amount of the wire in fen."""
    return int(Decimal(str(yuan)) * 100)


class LateCare:
    """One institution that enters care with the times at which it was given."""

    def __init__(self, city: City, till: Till) -> None:
        self.city, self.till = city, till
        self.code = till.counter.fixmedins_code
        self.warned = ""

    def begin(
        self, patient: Mapping[str, Any], when: str, lines: Sequence[Mapping[str, Any]], *, visit_no: str = "",
        med_type: str = "11",
    ) -> dict[str, Any]:
        """Register, record and upload a visit of some day; return the content that settles it."""
        begin, visit = wire(at(when)), {**patient["visit"], "med_type": med_type, "lines": lines, "acct_used_flag": "0"}
        content = self.till.registration(patient, begin=begin, visit_no=visit_no)
        mdtrt_id = str(self.till.call("2201", content, insured_place=patient["insuplc_admdvs"])["data"]["mdtrt_id"])
        self.till.record(patient, visit, mdtrt_id, begin=begin)
        self.till.upload(patient, visit, mdtrt_id, begin=begin)
        return self.till.bill(patient, visit, mdtrt_id)

    def settle(self, infno: str, content: Mapping[str, Any], patient: Mapping[str, Any], **more: Any) -> dict[str, Any]:
        """Settle and return ``setlinfo``; what the platform says beside is kept in ``warned``."""
        message = self.till.envelope(infno, content, insured_place=patient["insuplc_admdvs"], **more)
        reply = self.till.ask(message)
        output = self.till.output(reply)
        self.warned = json.loads(reply)["warn_msg"] or ""
        return dict(output["setlinfo"])

    def visit(self, patient: Mapping[str, Any], when: str, lines: Sequence[Mapping[str, Any]], **more: Any) -> dict[str, Any]:
        """Enter and settle a visit of some day."""
        return self.settle("2207", self.begin(patient, when, lines, **more), patient)

    def stay(
        self, patient: Mapping[str, Any], begin: str, end: str, lines: Sequence[Mapping[str, Any]], *, ipt_no: str = "",
        med_type: str = "21",
    ) -> dict[str, Any]:
        """Enter and settle a whole stay."""
        assert isinstance(self.till, Ward)
        stay = self.till.admit(patient, at(begin), med_type=med_type, ipt_no=ipt_no)
        return self.end_stay(stay, end, lines)

    def end_stay(self, stay: Stay, end: str, lines: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
        """Upload the lines of a stay as of its first day, discharge and settle."""
        assert isinstance(self.till, Ward)
        self.till.charge(stay, stay.begin, lines)
        self.till.discharge(stay, at(end))
        return self.settle("2304", self.till.stay_bill(stay, total(lines), acct_used_flag="0"), stay.patient)

    def note(
        self, patient: Mapping[str, Any], kind: str, visit_no: str, begin: str, end: str | None, *, paid_fen: int,
        disposition: str, position: str, plan: str = "zibo-2021", **more: Any,
    ) -> str:
        """Note a case as the institution does while nothing runs; return its id."""
        episode_id = f"E{next(_serials):06d}"
        now = self.city.clock.now()
        episode = Episode(**{
            "psn_no": patient["psn_no"], "episode_id": episode_id, "admdvs": patient["insuplc_admdvs"],
            "care_admdvs": self.till.counter.region, "fixmedins_code": self.code, "kind": kind, "visit_no": visit_no,
            "insutype": patient["insutype"], "visit_class": "inpatient" if kind == "stay" else kind,
            "business": "inpatient_settlement", "begin_at": at(begin), "end_at": at(end) if end else None,
            "position": position, "disposition": disposition, "rule_id": "ZB-R11", "plan": plan, "plan_version": 1,
            "paid_fen": paid_fen, "deposit_fen": paid_fen if disposition == "deposit" else 0, "noted_at": now,
            "noted_by": "clerk", "received_at": now, "channel": "api", **more,
        })

        async def put(database: Any) -> None:
            async with database.transaction() as tx:
                await add_episode(tx, episode)
                await add_step(tx, episode, what="noted", now=now, actor="clerk", channel="api")
                if paid_fen:
                    kind = "deposit" if disposition == "deposit" else "payment"
                    await add_cash(tx, episode, kind=kind, amount_fen=paid_fen, receipt_no="", now=now, actor="clerk")

        self.city.with_database(put)
        return episode_id


def episode_of(city: City, episode_id: str) -> dict[str, Any]:
    """Return an episode as it stands."""
    return city.fetch("select * from episodes.episode where episode_id = $1", episode_id)[0]


def line(item: Mapping[str, Any], yuan: float, *, cnt: int = 1) -> dict[str, Any]:
    """Return a fee line of an item of the world at some price."""
    return {"med_list_codg": item["med_list_codg"], "medins_list_codg": item["medins_list_codg"], "pric": yuan, "cnt": cnt,
            "det_item_fee_sumamt": yuan * cnt}
