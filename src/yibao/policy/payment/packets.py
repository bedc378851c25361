"""Which disease packet a case belongs to: a diagnosis with its procedures first, else with its kind of treatment."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from yibao.policy.grouping.conditions import Facts
from yibao.policy.payment.terms import Packet

Packets = Mapping[str, tuple[Packet, ...]]
CORE = "core"


def index_packets(packets: Iterable[Packet]) -> Packets:
    """Return packets by the first characters of their diagnosis, the most exact of each first.

    Exact is: core before comprehensive, more procedures before fewer, a higher score before a lower one.
    """
    found: dict[str, list[Packet]] = {}
    for packet in packets:
        found.setdefault(packet.diagnosis, []).append(packet)
    return {
        code: tuple(sorted(rows, key=lambda p: (p.kind != CORE, -len(p.procedures), -p.score_e4, p.code)))
        for code, rows in found.items()
    }


def find_packet(facts: Facts, packets: Packets) -> Packet | None:
    """Return the packet of a case: the longest diagnosis that has a fitting one; None if there is none.

    ``facts`` are read as for grouping (``policy.grouping.reading``), so both see the same codes.
    """
    treatment = treatment_of(facts)
    for length in range(len(facts.main), 0, -1):
        for packet in packets.get(facts.main[:length], ()):
            if packet.treatment not in ("", treatment):
                continue
            if all(any(done.startswith(code) for done in facts.procedures) for code in packet.procedures):
                return packet
    return None


def treatment_of(facts: Facts) -> str:
    """Return ``operation`` with any procedure that counts as one, ``procedure`` with others, else ``conservative``."""
    if facts.operations:
        return "operation"
    return "procedure" if facts.procedures else "conservative"
