"""What an institution writes down in a window and sends over REST, as its own program would; and small plans for it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from tests.support.hall import Hall
from tests.support.window_city import plan_text


def plan_with(*rules: str) -> str:
    """Return the text of the Zibo plan with further rules, which win where they are the more specific ones."""
    return plan_text("zibo-2021") + "".join(f"\n[[rule]]\n{rule}\n" for rule in rules)


def rule(
    rule_id: str, disposition: str, business: str, positions: str, *terms: str, phase: str = '"frozen", "after"'
) -> str:
    """Return the text of a rule for an episode's positions, given as ``P3 P5``."""
    when = "" if not positions else f"when.position = {sorted(positions.split())!r}\n".replace("'", '"')
    return (
        f'id = "{rule_id}"\ndisposition = "{disposition}"\nwhen.business = ["{business}"]\n{when}phase = [{phase}]\n'
        f'says = "按{rule_id}办理"\n' + "\n".join(terms)
    )


class WindowDesk:
    """The desk of an institution, or a clerk's, at which cases are noted."""

    def __init__(self, hall: Hall) -> None:
        self.hall = hall

    def note(self, patient: Mapping[str, Any], *, kind: str, visit_no: str, begin: datetime, **more: Any) -> dict[str, Any]:
        """Note a case and return the answer."""
        return self.hall.do("/windows/episodes", _note(patient, kind=kind, visit_no=visit_no, begin=begin, **more))

    def refused(
        self, patient: Mapping[str, Any], *, kind: str, visit_no: str, begin: datetime, **more: Any
    ) -> dict[str, Any]:
        """Note a case that must be refused and return the problem."""
        return self.hall.refused("/windows/episodes", _note(patient, kind=kind, visit_no=visit_no, begin=begin, **more))

    def do(self, episode: Mapping[str, Any], what: str, **body: Any) -> dict[str, Any]:
        """Do a deed on a case."""
        return self.hall.do(f"/windows/episodes/{episode['psn_no']}/{episode['episode_id']}/{what}",
                            body if what != "enter" else None)

    def refuse(self, episode: Mapping[str, Any], what: str, **body: Any) -> dict[str, Any]:
        """Do a deed on a case that must be refused."""
        return self.hall.refused(f"/windows/episodes/{episode['psn_no']}/{episode['episode_id']}/{what}",
                                 body if what != "enter" else None)

    def show(self, episode: Mapping[str, Any]) -> dict[str, Any]:
        """Return a case with its cash and steps."""
        return self.hall.read(f"/windows/episodes/{episode['psn_no']}/{episode['episode_id']}")

    def send(self, *notes: Mapping[str, Any]) -> list[dict[str, Any]]:
        """Send in what was noted off line and return what became of each."""
        return list(self.hall.do("/windows/notes", {"notes": list(notes)})["rows"])


def _note(patient: Mapping[str, Any], *, kind: str, visit_no: str, begin: datetime, **more: Any) -> dict[str, Any]:
    said = {k: v.isoformat() if isinstance(v, datetime) else v for k, v in more.items()}
    return {"psn_no": patient["psn_no"], "insutype": patient["insutype"], "kind": kind, "visit_no": visit_no,
            "begin_at": begin.isoformat(), **said}


def note_of(patient: Mapping[str, Any], **what: Any) -> dict[str, Any]:
    """Return a note as it is sent in a list."""
    return _note(patient, **what)
