"""Civil affairs: lists of assisted persons, each with count and digest."""

from __future__ import annotations

from yibao_parties.party import Party
from yibao_parties.wire import Body, sm3_hex


def list_digest(rows: list[Body]) -> str:
    """Return the SM3 over the sorted lines ``certno,name,valid_to`` of a list; no end is nothing."""
    return sm3_hex("".join(sorted(f"{r['certno']},{r['name']},{r.get('valid_to') or ''}\n" for r in rows)))


class Civil(Party):
    """Who is assisted, by kind of identity."""

    name = "civil"

    def act_list(self, body: Body) -> str:
        """Send a list: ``identity_type``, ``valid_from``, ``rows`` of ``certno name valid_to``, ``admdvs``; it replaces the
        one before. ``count`` and ``digest`` are reckoned unless they are said, rightly or wrongly."""
        rows = body["rows"]
        told = {
            "list_id": body.get("list_id") or f"L{body['admdvs']}{self.now():%Y%m%d}{self.store.count('list'):04d}",
            "admdvs": body["admdvs"], "identity_type": body["identity_type"], "valid_from": body["valid_from"], "rows": rows,
            "count": body.get("count", len(rows)), "digest": body.get("digest") or list_digest(rows),
        }
        self.store.put("list", told["list_id"], told, admdvs=body["admdvs"], state="sent")
        self.emit("assisted_list", told, admdvs=body["admdvs"])
        return str(told["list_id"])
