"""What all parties have in common: messages in and out, a clock that can be turned, moods, and acts of their people.

The mood decides how a party answers: ``normal``; ``slow`` takes its time; ``off`` answers nothing; ``wrong`` adds to what
it says every fault an office is known for: a message that does not match its digest, one sent twice, one out of order, and
one about something that does not exist. Back to ``normal`` it sends what it owed.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime
from typing import Any, ClassVar

from yibao.kernel.business_time import SHANGHAI
from yibao.kernel.clock import Clock, SystemClock
from yibao_parties.store import Store
from yibao_parties.wire import Body, canonical, sm3_hex

NORMAL, SLOW, WRONG, OFF = "normal", "slow", "wrong", "off"
MOODS = (NORMAL, SLOW, WRONG, OFF)
FAULTS = ("digest", "repeat", "order", "unknown")
_PLANS_MAX = 100_000


class Declined(Exception):
    """The party says no to what somebody asks of it; the text says why."""


class Party:
    """One office. A kind of office says what it does with messages (``take_<kind>``), what comes with time
    (``on_<plan>``) and what its people do (``act_<act>``)."""

    name: ClassVar[str]

    def __init__(self, store: Store, *, clock: Clock | None = None) -> None:
        self.store = store
        self._clock = clock or SystemClock()
        self._at: datetime | None = None

    # ── the clock ──

    def now(self) -> datetime:
        """Return the party's time: what it is doing now, else the turned clock, else the host's."""
        if self._at is not None:
            return self._at
        turned = self.store.setting("now")
        return (datetime.fromisoformat(turned) if turned else self._clock.now()).astimezone(SHANGHAI)

    def is_turned(self) -> bool:
        """Say whether somebody turns the clock by hand."""
        return bool(self.store.setting("now"))

    def advance(self, now: datetime) -> list[str]:
        """Turn the clock and do, one after the other, everything that comes due until then."""
        with self.store.transaction():
            earlier = self.store.setting("now")
            if earlier and datetime.fromisoformat(earlier) > now:
                raise Declined(f"the clock stands at {earlier} and does not go back")
            self.store.set("now", now.isoformat())
            return self._do_due(now)

    def tick(self) -> list[str]:
        """Do what is due by the host's clock; nothing when the clock is turned by hand."""
        if self.is_turned():
            return []
        with self.store.transaction():
            return self._do_due(self._clock.now())

    def _do_due(self, now: datetime) -> list[str]:
        done: list[str] = []
        for _ in range(_PLANS_MAX):
            due = self.store.take_due(now)
            if due is None:
                return done
            self._at, name, body = due[0].astimezone(SHANGHAI), due[1], due[2]
            try:
                getattr(self, f"on_{name}")(body)
            finally:
                self._at = None
            done.append(name)
        raise Declined("there is no end of what is due")

    # ── messages in ──

    def receive(self, messages: list[Body]) -> int:
        """Take messages of the platform in order, each once; return the number of the newest one taken.

        Raises:
            Declined: a gap in the numbers, another content under a known id, or a digest that does not match; what stands
                before it is taken.
        """
        declined: Declined | None = None
        with self.store.transaction():
            for message in messages:
                try:
                    self._take(message)
                except Declined as no:
                    declined = no
                    break
        if declined is not None:
            raise declined
        return self.store.last_incoming()

    def _take(self, message: Body) -> None:
        known = self.store.find_incoming(message["id"])
        if known is not None:
            if known["digest"] != message["digest"]:
                raise Declined(f"message {message['id']} came before with another content")
            return
        last = self.store.last_incoming()
        if message["no"] != last + 1:
            raise Declined(f"message {last + 1} is missing, {message['no']} came")
        if sm3_hex(canonical(message["body"])) != message["digest"]:
            raise Declined(f"message {message['id']} does not match its digest")
        self.store.add_incoming(message, now=self.now(), answer=self._taken(message))

    def _taken(self, message: Body) -> str:
        handler: Callable[[Body], None] | None = getattr(self, f"take_{message['kind']}", None)
        if handler is None:
            return "not for us"
        try:
            handler(message["body"])
        except Declined as no:
            return str(no)
        except (KeyError, TypeError, ValueError) as error:
            return f"cannot be read: {error!r}"
        return ""

    # ── messages out ──

    def emit(self, kind: str, body: Body, *, admdvs: str) -> None:
        """Say something to the platform, in the mood of the day."""
        id = f"{self.name}-{kind}-{self.store.count('message')}"
        fault = ""
        if self.store.setting("mood", NORMAL) == WRONG:
            faults = self.store.setting("faults", ",".join(FAULTS)).split(",")
            fault = faults[self.store.count("fault") % len(faults)]
        if fault == "digest":
            self._say(id, kind, body, admdvs=admdvs, digest="0" * 64)
            self._owe(id, kind, body, admdvs=admdvs)
        elif fault == "order" and not self.store.papers("owed", state="owed"):
            # Said after the next one.
            self._owe(id, kind, body, admdvs=admdvs)
        else:
            self._say(id, kind, body, admdvs=admdvs)
        if fault == "repeat":
            self._say(f"{id}-again", kind, body, admdvs=admdvs)
        elif fault == "unknown":
            spoilt = {**body, **{name: f"X{value}" for name, value in body.items() if name.endswith("_id")}}
            if spoilt != body:
                self._say(f"{id}-spoilt", kind, spoilt, admdvs=admdvs)
        else:
            self._pay_debts(but=id)

    def _say(self, id: str, kind: str, body: Body, *, admdvs: str, digest: str = "") -> None:
        self.store.add_outgoing(
            id=id, kind=kind, admdvs=admdvs, body=body, digest=digest or sm3_hex(canonical(body)), now=self.now()
        )

    def _owe(self, id: str, kind: str, body: Body, *, admdvs: str) -> None:
        self.store.put("owed", f"{self.store.count('owed'):09d}", {"id": id, "kind": kind, "body": body}, admdvs=admdvs,
                       state="owed")

    def _pay_debts(self, *, but: str = "") -> None:
        """Send what was kept back or sent wrong, except the message at hand."""
        for paper in self.store.papers("owed", state="owed"):
            if paper.body["id"] != but:
                self._say(paper.body["id"], paper.body["kind"], paper.body["body"], admdvs=paper.admdvs)
                self.store.move("owed", paper.id, "sent")

    # ── moods and acts ──

    def set_mood(self, mood: str, *, slow_ms: int = 500, faults: list[str] | None = None) -> None:
        """Change how the party answers."""
        if mood not in MOODS or any(fault not in FAULTS for fault in faults or ()):
            raise Declined(f"a mood is one of {', '.join(MOODS)}, a fault one of {', '.join(FAULTS)}")
        with self.store.transaction():
            self.store.set("mood", mood)
            self.store.set("slow_ms", str(slow_ms))
            self.store.set("faults", ",".join(faults or FAULTS))
            if mood == NORMAL:
                self._pay_debts()

    def act(self, name: str, body: Body) -> Any:
        """Do what somebody at the party does.

        Raises:
            Declined: there is no such act, or the party says no.
        """
        handler: Callable[[Body], Any] | None = getattr(self, f"act_{name}", None)
        if handler is None:
            raise Declined(f"there is no act {name}; there are {', '.join(self.acts())}")
        with self.store.transaction():
            try:
                return handler(body)
            except KeyError as missing:
                raise Declined(f"{missing.args[0]} is missing") from missing

    def act_say(self, body: Body) -> str:
        """Say anything at all to the platform, right or wrong: ``kind``, ``admdvs``, ``body``, and ``id`` or ``digest``."""
        id = body.get("id") or f"{self.name}-{body['kind']}-{self.store.count('message')}"
        self._say(id, body["kind"], body["body"], admdvs=body["admdvs"], digest=body.get("digest", ""))
        return str(id)

    def acts(self) -> list[str]:
        """List what people can do here."""
        return sorted(name.removeprefix("act_") for name in dir(self) if name.startswith("act_"))

    def state(self) -> Body:
        """Return how the party stands."""
        return {
            "party": self.name, "mood": self.store.setting("mood", NORMAL), "now": self.now().isoformat(),
            "turned": self.is_turned(), "taken": self.store.last_incoming(), "said": self.store.last_outgoing(),
            "papers": self.store.tally(), "acts": self.acts(),
        }


def decode(content: bytes) -> Any:
    """Return the JSON of a request.

    Raises:
        Declined: it is none.
    """
    try:
        return json.loads(content or b"{}")
    except ValueError as error:
        raise Declined(f"not JSON: {error}") from error
