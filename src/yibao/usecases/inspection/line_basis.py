"""What the split of a fee line rests on: the catalogue's class and ceiling, the region's default ratio."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal

import asyncpg
import msgspec

from yibao.domains.catalogue.model import ItemTerm
from yibao.domains.catalogue.queries import terms_on_days
from yibao.domains.settlements.model import Settlement
from yibao.infra.database import Connection
from yibao.policy.decision import Used
from yibao.policy.law.parameters import RegionPolicy
from yibao.policy.law.values import ratio_text
from yibao.policy.lines import default_first_pay
from yibao.usecases.visits.fee_line import group_of


class _Place(msgspec.Struct):
    level: str = ""


class _Facts(msgspec.Struct):
    institution: _Place = msgspec.field(default_factory=_Place)


async def bases_of(
    tx: Connection, *, head: Settlement, lines: Sequence[asyncpg.Record], class_names: Mapping[str, str],
    policy: RegionPolicy | None, is_stay: bool = False,
) -> dict[str, tuple[Used, ...]]:
    """Return by ``feedetl_sn`` which dated values the split of each fee line used.

    Args:
        lines: rows of ``encounters.fee_line``, with the day of each (``occurred_on``). A return rests on its line.
        class_names: Chinese names of the class levels.
        policy: the law the settlement was decided by; without it the region's default ratio is not named.
    """
    level = msgspec.json.decode(head.facts, type=_Facts).institution.level
    # A line of a stay rests on catalogue and law of its own day, all lines of a visit on the day of the visit.
    days = {line["feedetl_sn"]: line["occurred_on"] if is_stay else head.service_on for line in lines}
    terms = await terms_on_days(
        tx, admdvs=head.admdvs, wanted=[(line["item_code"], days[line["feedetl_sn"]]) for line in lines], level=level
    )
    return {
        sn: (_listed(term, class_names), *_ceiling(term, line), *_default_ratio(term, line, head, policy, days[sn]))
        for line in lines
        if (term := terms.get((line["item_code"], days[sn := line["feedetl_sn"]]))) is not None and not line["init_sn"]
    }


def _listed(term: ItemTerm, class_names: Mapping[str, str]) -> Used:
    value = class_names.get(term.class_level) or term.class_level
    if term.first_pay:
        value += f"，先行自付 {ratio_text(term.first_pay)}"
    return Used(
        rule="", name="目录类别", value=value, condition=term.restriction, valid_from=term.term_from.isoformat(),
        clause="", source=term.source, mark="assumed" if term.assumed else "official",
    )


def _ceiling(term: ItemTerm, line: asyncpg.Record) -> tuple[Used, ...]:
    if term.limit_micro is None or line["limit_micro"] is None:
        return ()
    price = Decimal(line["limit_micro"]).scaleb(-6)
    return (
        Used(
            rule="", name="支付标准", value=f"{price.normalize():f} 元", condition="", valid_from="", clause="",
            source=term.limit_source, mark="assumed" if term.limit_assumed else "official",
        ),
    )


def _default_ratio(
    term: ItemTerm, line: asyncpg.Record, head: Settlement, policy: RegionPolicy | None, on: date
) -> tuple[Used, ...]:
    if policy is None or term.first_pay is not None or line["own_fen"]:
        return ()
    row = default_first_pay(
        policy, on, insutype=head.insutype, list_type=line["list_type"],
        class_level=line["class_level"], group=group_of(negotiated=term.negotiated),
        med_type=head.med_type,
    )
    return () if row is None else (row.used,)
