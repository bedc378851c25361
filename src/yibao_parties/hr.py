"""The human-resources bureau: social-security cards, approved retirements, work injuries, the state of its own hall."""

from __future__ import annotations

from yibao_parties.party import Declined, Party
from yibao_parties.wire import Body

ACTIVE, LOST, FOUND, REPLACED, CANCELLED = "active", "lost", "found", "replaced", "cancelled"


class Hr(Party):
    """Cards by person, and papers that go to the medical insurance."""

    name = "hr"

    def act_issue_card(self, body: Body) -> None:
        """Give somebody a card, or another one: ``certno``, ``card_no``, ``admdvs``."""
        earlier = self.store.find("card", body["certno"])
        state = ACTIVE if earlier is None else REPLACED
        self._tell(body, state, card_no=body["card_no"], old=earlier.body["card_no"] if earlier else body.get("old_card_no", ""))

    def act_replace_card(self, body: Body) -> None:
        """Give somebody another card: ``certno``, ``card_no`` (the new one), ``old_card_no`` where it is not known here."""
        earlier = self.store.find("card", body["certno"])
        self._tell(body, REPLACED, card_no=body["card_no"],
                   old=body.get("old_card_no") or (earlier.body["card_no"] if earlier else ""))

    def act_lose_card(self, body: Body) -> None:
        """Report a card as lost: ``certno``, ``card_no``."""
        self._tell(body, LOST, card_no=self._card_of(body))

    def act_find_card(self, body: Body) -> None:
        """Take the report of a loss back."""
        self._tell(body, FOUND, card_no=self._card_of(body))

    def act_cancel_card(self, body: Body) -> None:
        """Cancel a card for good."""
        self._tell(body, CANCELLED, card_no=self._card_of(body))

    def _card_of(self, body: Body) -> str:
        known = self.store.find("card", body["certno"])
        card_no = body.get("card_no") or (known.body["card_no"] if known else "")
        if not card_no:
            raise Declined("which card?")
        return str(card_no)

    def _tell(self, body: Body, state: str, *, card_no: str, old: str = "") -> None:
        kept = ACTIVE if state in (FOUND, REPLACED) else state
        self.store.put("card", body["certno"], {"card_no": card_no}, admdvs=body["admdvs"], state=kept)
        told = {"certno": body["certno"], "card_no": card_no, "state": state, "at": self.now().isoformat(),
                "admdvs": body["admdvs"]}
        self.emit("card", {**told, "old_card_no": old} if old else told, admdvs=body["admdvs"])

    def act_retire(self, body: Body) -> None:
        """Approve somebody's retirement: ``certno``, ``approved_on``, ``admdvs``."""
        self._pass_on("retired", body, "certno", "approved_on")

    def act_injure(self, body: Body) -> None:
        """Recognise a work injury: ``certno``, ``accident_on``, ``recognised_on``, ``admdvs``."""
        self._pass_on("work_injury", body, "certno", "accident_on", "recognised_on")

    def act_hall(self, body: Body) -> None:
        """Open or close the bureau's own hall: ``state`` ``open`` or ``closed``, ``says``, ``admdvs``."""
        self._pass_on("hall", {"at": self.now().isoformat(), **body}, "state")

    def _pass_on(self, kind: str, body: Body, *needed: str) -> None:
        for name in needed:
            body[name]
        self.emit(kind, body, admdvs=body["admdvs"])
