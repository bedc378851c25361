"""What a window stops or says of institutions' messages, asked before the handler and without a statement."""

from __future__ import annotations

import msgspec

from yibao.entrypoints.gateway.dispatch import Answer
from yibao.entrypoints.gateway.registry import Handler, Message, Services
from yibao.infra import messages
from yibao.infra.messages import Replayed
from yibao.kernel.refusal import Refusal
from yibao.usecases.deadlines.name_way import has_transit, name_way
from yibao.usecases.windows.business_of import asked_by_message
from yibao.usecases.windows.snapshot import refuse_undated


class Window:
    """Asks the gate for every message that passed validation."""

    def __init__(self, services: Services) -> None:
        self._services = services

    async def stops(self, handler: Handler, message: Message) -> Answer | None:
        """Return the answer of a message that a window stops; None lets it go on, with advice for its reply.

        A message that was answered before the stop gets its stored answer also afterwards: whoever lost the reply must not
        believe that nothing was done. Only a message that is refused pays for the look.
        """
        gate = self._services.gate
        if gate.is_due:
            await gate.fresh()
        if not gate.plans_of(message.institution.region, message.envelope.get("insuplc_admdvs", "")):
            return None
        asked = asked_by_message(
            message.infno, message.input, insured_place=message.envelope.get("insuplc_admdvs", ""),
            sender=message.institution,
        )
        if asked is None:
            return None
        judged = gate.ask(asked, message.received_at)
        if judged.snapshot_at is not None:
            return Answer(refuse_undated(judged), "refused")  # kept are answers of the API, not replies of the interface
        if judged.refusal is None:
            message.warnings.extend(judged.advice)
            return None
        if handler.kind != "query":
            async with self._services.database.connection() as connection:
                stored = await messages.find_stored(connection, message.key)
            if isinstance(stored, Replayed):
                return Answer(stored.reply, "replayed")
            if isinstance(stored, Refusal):
                return Answer(stored, "refused")
        return Answer(judged.refusal, "refused")

    def naming_the_way(self, answer: Answer, message: Message) -> Answer:
        """Return an answer; a refusal because dues are on their way names what the plan says to do for this business."""
        if not isinstance(answer.reply, Refusal) or not has_transit(answer.reply):
            return answer
        asked = asked_by_message(
            message.infno, message.input, insured_place=message.envelope.get("insuplc_admdvs", ""),
            sender=message.institution,
        )
        if asked is None:
            return answer
        named = name_way(answer.reply, gate=self._services.gate, asked=asked, at=message.received_at, is_institution=True)
        return msgspec.structs.replace(answer, reply=named)
