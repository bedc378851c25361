"""Health: births and pregnancies that were registered."""

from __future__ import annotations

from yibao_parties.party import Party
from yibao_parties.wire import Body


class Health(Party):
    """Birth certificates and maternity registrations."""

    name = "health"

    def act_birth(self, body: Body) -> str:
        """Certify a birth: ``mother_certno``, ``name``, ``sex``, ``born_on``, ``certno`` of the child, ``admdvs``."""
        told = {**body, "birth_id": body.get("birth_id") or f"BC{self.now():%Y%m%d}{self.store.count('birth'):05d}"}
        for name in ("mother_certno", "name", "sex", "born_on", "admdvs"):
            told[name]
        self.store.put("birth", told["birth_id"], told, admdvs=body["admdvs"], state="certified")
        self.emit("birth", told, admdvs=body["admdvs"])
        return str(told["birth_id"])

    def act_maternity(self, body: Body) -> str:
        """Register a pregnancy: ``certno``, ``registered_on``, ``due_on``, ``foetuses``, ``admdvs``."""
        told = {**body, "registration_id": body.get("registration_id") or
                f"MR{self.now():%Y%m%d}{self.store.count('maternity'):05d}"}
        for name in ("certno", "registered_on", "admdvs"):
            told[name]
        self.store.put("maternity", told["registration_id"], told, admdvs=body["admdvs"], state="registered")
        self.emit("maternity", told, admdvs=body["admdvs"])
        return str(told["registration_id"])
