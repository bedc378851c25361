"""F03: the reply to a settlement is cut after every byte, with FIN and with RST, after the money has moved."""

from __future__ import annotations

import socket
import struct
import threading
from collections import deque
from contextlib import suppress
from dataclasses import dataclass
from random import Random
from urllib.parse import urlsplit

from tests.proofs.cast import Cast, Patient, draw_bill, gather
from tests.proofs.deeds import Deed, judge_stored
from tests.proofs.platform import Platform, Result
from tests.support.till import Till, Unanswered

ENDINGS = ("FIN", "RST")
_BATCHES_PER_VISIT = 40
_RESET = struct.pack("ii", 1, 0)
_MORE = 65_536
_ALL = 10**9
_AGAIN_MAX = 100


@dataclass
class Passage:
    """What happened to one reply: how many bytes it had in all and how many were let through."""

    total: int = 0
    passed: int = 0


class CuttingProxy:
    """Takes one connection at a time to the server and cuts the reply after a number of bytes."""

    def __init__(self, endpoint: str) -> None:
        parts = urlsplit(endpoint)
        assert parts.hostname is not None
        assert parts.port is not None
        self._upstream = (parts.hostname, parts.port)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.endpoint = f"http://127.0.0.1:{self._listener.getsockname()[1]}{parts.path}"
        self._cut = 0
        self._ending = ENDINGS[0]
        self._passage = Passage()
        self._done = threading.Event()
        threading.Thread(target=self._serve, daemon=True).start()

    def cut_next(self, *, after: int, ending: str) -> None:
        """Let ``after`` bytes of the next connection's reply through, then end it with FIN or RST."""
        self._cut, self._ending = after, ending
        self._passage = Passage()
        self._done.clear()

    def passage(self) -> Passage:
        """Return what happened to the reply just cut."""
        assert self._done.wait(30.0), "the proxy did not finish"
        return self._passage

    def close(self) -> None:
        """Take no more connections."""
        # Closing alone does not wake the thread that waits in accept.
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _serve(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            with client, socket.create_connection(self._upstream) as server:
                self._pass(client, server)
            self._done.set()

    def _pass(self, client: socket.socket, server: socket.socket) -> None:
        server.sendall(_whole_message(client))
        reply = _whole_message(server)
        self._passage = Passage(len(reply), min(self._cut, len(reply)))
        if self._passage.passed:
            client.sendall(reply[: self._passage.passed])
        if self._ending == "RST":
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
        else:
            client.shutdown(socket.SHUT_RDWR)


def _whole_message(source: socket.socket) -> bytes:
    """Read one HTTP message: head, then as many bytes as it announces."""
    data = b""
    while b"\r\n\r\n" not in data:
        data += _more(source)
    head, _, body = data.partition(b"\r\n\r\n")
    announced = next(
        int(line.split(b":", 1)[1]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:")
    )
    while len(body) < announced:
        body += _more(source)
    return head + b"\r\n\r\n" + body


def _more(source: socket.socket) -> bytes:
    part = source.recv(_MORE)
    if not part:
        raise AssertionError("the other side ended before its message was whole")
    return part


class Visits:
    """One person's charge batches: a visit is registered now and then, every settlement takes a batch of its own."""

    def __init__(self, cast: Cast, rng: Random, patient: Patient) -> None:
        self._cast, self._rng, self._patient = cast, rng, patient
        self._site = cast.home(patient)
        # So little that no counter fills, which would change what the replies hold.
        self._visit = draw_bill(cast, rng, patient, self._site, top_yuan=2, lines=1).visit
        self._mdtrt_id = ""
        self._batch = _BATCHES_PER_VISIT
        self.reply_bytes = 0
        """How long the reply to the latest settlement was, head included."""
        self.till = cast.till(self._site)

    def next_settlement(self) -> Deed:
        """Upload a batch and return the 2207 that settles it, unsent."""
        if self._batch >= _BATCHES_PER_VISIT:
            self._mdtrt_id = self.till.register(self._patient.wire)
            self.till.record(self._patient.wire, self._visit, self._mdtrt_id)
            self._batch = 0
        self._batch += 1
        batch = str(self._batch)
        self.till.upload(self._patient.wire, self._visit, self._mdtrt_id, batch=batch)
        bill = self.till.bill(self._patient.wire, self._visit, self._mdtrt_id, batch=batch)
        message = self.till.envelope("2207", bill, insured_place=self._patient.wire["insuplc_admdvs"])
        return Deed("2207", self.till, self._patient, self._mdtrt_id, message, self._visit, batch)


def run(n: int, seed: int, platform: Platform) -> Result:
    """Cut ``n`` replies; from the number of positions on, every position is cut both ways.

    ``n`` 0 means exactly every position from nothing to the whole reply, each with FIN and with RST.
    """
    rng = Random(seed)
    wrong = dict.fromkeys(("lost", "doubled", "differing", "wrongly_accepted", "defects", "breaches"), 0)
    positions: set[tuple[int, str]] = set()
    done = {"n": 0}
    with platform.served() as served:
        cast = gather(served, rng)
        visits = [Visits(cast, rng, cast.patient()) for _ in range(10)]
        proxy = CuttingProxy(served.endpoint)
        for visit in visits:
            _sent_through(proxy, visit, after=_ALL, ending="FIN")
        longest = max(visit.reply_bytes for visit in visits)
        todo = deque(_cuts(rng, longest, n))
        again = _AGAIN_MAX
        while todo:
            after, ending = todo.popleft()
            # One whose reply reaches beyond the cut; each takes its turn.
            visits.sort(key=lambda visit: visit.reply_bytes <= after)
            visits.append(visit := visits.pop(0))
            deed, replies, passage = _sent_through(proxy, visit, after=after, ending=ending)
            done["n"] += 1
            is_whole = passage.passed == passage.total
            if not is_whole:
                positions.add((after, ending))
            elif after < longest and again:
                # The replies have become shorter, as counters filled: cut there again in somebody else's.
                again -= 1
                todo.append((after, ending))
                visits.append(visit := Visits(cast, rng, cast.patient()))
                _sent_through(proxy, visit, after=_ALL, ending="FIN")
            wrong["wrongly_accepted"] += bool(replies) and not is_whole
            replies += [deed.till.ask(deed.message) for _ in range(2)]
            for name, count in judge_stored(deed, served.books, replies).items():
                wrong[name] += count
        proxy.close()
        books = served.verify()
        wrong["breaches"], wrong["defects"] = books["breaches"], served.defects
        done |= {
            "reply_bytes": longest, "positions_cut": len(positions), "settlements": books["settlements"],
            "checks": books["checks"],
        }
    return Result(done, wrong)


def _cuts(rng: Random, longest: int, n: int) -> list[tuple[int, str]]:
    """Return where to cut: every position with either ending, or ``n`` of these."""
    every = [(k, ending) for k in range(longest + 1) for ending in ENDINGS]
    if not n:
        return every
    return rng.sample(every, n) if n <= len(every) else every + rng.choices(every, k=n - len(every))


def _sent_through(
    proxy: CuttingProxy, visit: Visits, *, after: int, ending: str
) -> tuple[Deed, list[bytes], Passage]:
    """Settle through the proxy; return the message, the reply if the till accepted one, and what was let through."""
    deed = visit.next_settlement()
    proxy.cut_next(after=after, ending=ending)
    till = Till(proxy.endpoint, deed.till.counter)
    replies = []
    with suppress(Unanswered):
        replies.append(till.send(deed.message))
    till.close()
    passage = proxy.passage()
    visit.reply_bytes = passage.total
    return deed, replies, passage
