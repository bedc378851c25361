"""Let the applicant say how content they were, once."""

from __future__ import annotations

from datetime import datetime

from yibao.domains.services.model import RATED, Application
from yibao.infra.database import Connection
from yibao.kernel.actor import Actor
from yibao.kernel.ids import Ids
from yibao.kernel.refusal import Refusal, refuse
from yibao.usecases.services.commands import RateApplication
from yibao.usecases.services.desk import move, open_application

_LEAST, _MOST = 1, 5
_GOOD = 3
"""From this many stars on an applicant need not say why."""


async def rate_application(
    tx: Connection, command: RateApplication, *, actor: Actor, now: datetime, ids: Ids
) -> Application | Refusal:
    """Rate an application that has ended; fewer than three stars need a word."""
    application = await open_application(tx, command.application_id, deed="rate", actor=actor)
    if isinstance(application, Refusal):
        return application
    if not _LEAST <= command.stars <= _MOST:
        return refuse("RATING_OUT_OF_RANGE", "评价为1至5星", field="stars", received=str(command.stars), remedy="请重新评价")
    if command.stars < _GOOD and not command.says.strip():
        return refuse("RATING_WITHOUT_WORDS", "不满意的评价须说明原因", field="says", remedy="请说明原因")
    return await move(tx, application, what="rate", state=RATED, rating=command.stars, rating_says=command.says.strip(),
                      says="★" * command.stars, actor=actor, now=now, ids=ids)
