"""The visit that the demo settles by itself when it starts: one patient of his own, none of ``patients[]``."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from itertools import count
from typing import Any

import msgspec

from yibao.demo.desks import order_of, read_desks
from yibao.demo.histories import visit_number
from yibao.demo.hospital import Hospital, Send
from yibao.demo.stories import FIRST_VISIT, psn_no_of, stories
from yibao.infra.database import Database

_CERTIFICATE = "select certno from people.person where psn_no = $1"


class FirstVisit(msgspec.Struct, frozen=True):
    """What was settled, for the demo to show."""

    patient: str
    institution: str
    setl_id: str
    mdtrt_id: str
    msgid: str
    setlinfo: dict[str, Any]


async def settle_first_visit(database: Database, send: Send, *, now: Callable[[], datetime]) -> FirstVisit:
    """Settle one visit of today through the running platform; each start of the demo settles one more.

    Args:
        database: to read the patient and the institution from.
        send: delivers a message to the platform.

    Raises:
        VisitRefused: the platform refused a step.
    """
    story = next(s for s in stories() if s.key == FIRST_VISIT)
    psn_no = psn_no_of(story)
    certno = (await database.fetch(_CERTIFICATE, psn_no))[0]["certno"]
    order = order_of(
        story, story.visit, await read_desks(database), psn_no=psn_no, certno=certno,
        visit_no=visit_number(story, 0, now()),
    )
    # Serials away from the histories', and different for two starts within the same second.
    settled = await Hospital(send, now=now, serials=count(5_000 + now().microsecond // 250)).settle(order)
    return FirstVisit(
        patient=story.person.name, institution=order.desk.fixmedins_name, setl_id=settled.setl_id,
        mdtrt_id=settled.mdtrt_id, msgid=settled.msgid, setlinfo=settled.setlinfo,
    )
