"""The police: who somebody is, and who has died."""

from __future__ import annotations

from yibao_parties.party import Party
from yibao_parties.wire import Body

MATCH, OTHER_NAME, UNKNOWN, DEAD = "match", "name_differs", "unknown", "dead"


class Police(Party):
    """The register of residents, as far as somebody has entered it here."""

    name = "police"

    def take_identity_check(self, asked: Body) -> None:
        """Answer at once whether number and name are one person's."""
        known = self.store.find("resident", asked["certno"])
        if known is None:
            result = UNKNOWN
        elif known.state == "dead":
            result = DEAD
        else:
            result = MATCH if known.body["name"] == asked["name"] else OTHER_NAME
        self.emit("identity_answer", {
            "check_id": asked["check_id"], "certno": asked["certno"], "name": asked["name"], "result": result,
            "admdvs": asked["admdvs"],
        }, admdvs=asked["admdvs"])

    def act_register(self, body: Body) -> None:
        """Enter somebody into the register: ``certno``, ``name``."""
        self.store.put("resident", body["certno"], {"name": body["name"]}, state="alive")

    def act_death(self, body: Body) -> None:
        """Enter a death: ``certno``, ``died_on``, ``admdvs``."""
        known = self.store.find("resident", body["certno"])
        self.store.put("resident", body["certno"], known.body if known else {"name": body.get("name", "")}, state="dead")
        self.emit("death", {"certno": body["certno"], "died_on": body["died_on"], "admdvs": body["admdvs"]},
                  admdvs=body["admdvs"])
