"""Write down what somebody called the hotline about: the theme, not the caller."""

from __future__ import annotations

from datetime import datetime

import msgspec

from yibao.domains.console.model import Call, themes
from yibao.domains.console.operations import add_call
from yibao.domains.windows.tables import businesses
from yibao.infra.database import Connection
from yibao.kernel.actor import Actor
from yibao.kernel.ids import Ids
from yibao.kernel.refusal import Fault, Refusal
from yibao.usecases.trail import write_trail

_MOST_WORDS = 200


class NoteCall(msgspec.Struct, frozen=True, kw_only=True):
    """What was called about: a code of data/windows/themes.csv, and where it fits the business and the county."""

    admdvs: str
    theme: str
    business: str = ""
    county: str = ""
    says: str = ""


async def note_call(tx: Connection, command: NoteCall, *, actor: Actor, now: datetime, ids: Ids) -> Call | Refusal:
    """Write a call down, or say everything that is wrong with it."""
    faults = []
    if command.admdvs not in actor.regions:
        faults.append(Fault("OTHER_REGION", "不能登记其他统筹区的来电", "admdvs", command.admdvs, "请由当地经办机构登记"))
    if command.theme not in themes():
        faults.append(Fault("THEME_UNKNOWN", "没有这个来电主题", "theme", command.theme[:40], f"请选择：{'、'.join(themes())}"))
    if command.business and command.business not in businesses():
        faults.append(Fault("BUSINESS_UNKNOWN", "没有这项业务", "business", command.business[:40], "请核对业务代码"))
    if len(command.says) > _MOST_WORDS:
        faults.append(Fault("WORDS_TOO_LONG", f"内容不超过{_MOST_WORDS}字", "says", f"{len(command.says)}字",
                            "请简写，不写来电人信息"))
    if faults:
        return Refusal(tuple(faults))
    call = Call(
        admdvs=command.admdvs, call_id=ids.new(now), theme=command.theme, business=command.business, county=command.county,
        says=command.says.strip(), at=now, noted_by=actor.login,
    )
    await add_call(tx, call)
    await write_trail(tx, actor, verb="note_call", object_id=call.call_id, admdvs=call.admdvs, state=call, now=now, ids=ids)
    return call
