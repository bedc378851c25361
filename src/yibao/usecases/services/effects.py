"""What approval of an application runs: the use case of its item, with the application's content as command.

A body may say ``kind`` where an item has several deeds (joining, leaving, retiring).
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

import msgspec

from yibao.domains.services.model import Application
from yibao.domains.services.queries import body_of
from yibao.infra.database import Connection
from yibao.kernel.actor import Actor
from yibao.kernel.ids import Ids
from yibao.kernel.refusal import Refusal, refuse
from yibao.usecases.certificates.commands import IssueCertificate
from yibao.usecases.certificates.issue_certificate import issue_certificate
from yibao.usecases.claims.commands import SettleClaim
from yibao.usecases.claims.settle_claim import settle_claim
from yibao.usecases.enrolment import commands
from yibao.usecases.enrolment.add_member import add_member
from yibao.usecases.enrolment.change_employer import change_employer
from yibao.usecases.enrolment.change_person import change_person
from yibao.usecases.enrolment.enrol_flexible import enrol_flexible
from yibao.usecases.enrolment.enrol_newborn import enrol_newborn
from yibao.usecases.enrolment.enrol_resident import enrol_resident
from yibao.usecases.enrolment.move_member import move_member
from yibao.usecases.enrolment.register_employer import register_employer
from yibao.usecases.enrolment.remove_member import remove_member
from yibao.usecases.enrolment.retire_member import retire_member
from yibao.usecases.enrolment.take_assisted_list import take_assisted_list
from yibao.usecases.personal_accounts.commands import InheritAccount, WithdrawAccount
from yibao.usecases.personal_accounts.inherit_account import inherit_account
from yibao.usecases.personal_accounts.withdraw_account import withdraw_account
from yibao.usecases.services.own_effects import AskEmployer, AskPerson, show_employer, show_person
from yibao.usecases.settlement.shelf import PolicyShelf
from yibao.usecases.transfers.commands import TransferIn, TransferOut
from yibao.usecases.transfers.transfer_in import transfer_in
from yibao.usecases.transfers.transfer_out import transfer_out


class Deed(msgspec.Struct, frozen=True):
    """What an item ends in: the use case, and the form of its command."""

    does: Callable[..., Any]
    command: type[msgspec.Struct]


EFFECTS: Mapping[str, Mapping[str, Deed]] = {
    "register_employer": {"": Deed(register_employer, commands.RegisterEmployer)},
    "change_employer": {"": Deed(change_employer, commands.ChangeEmployer)},
    "employee_enrolment": {
        "join": Deed(add_member, commands.AddMember), "leave": Deed(remove_member, commands.RemoveMember),
        "move": Deed(move_member, commands.MoveMember), "flexible": Deed(enrol_flexible, commands.EnrolFlexible),
        "retire": Deed(retire_member, commands.RetireMember),
    },
    "resident_enrolment": {
        "": Deed(enrol_resident, commands.EnrolResident), "newborn": Deed(enrol_newborn, commands.EnrolNewborn),
    },
    "change_person": {"": Deed(change_person, commands.ChangePerson)},
    "take_assisted_list": {"": Deed(take_assisted_list, commands.TakeAssistedList)},
    "withdraw_account": {
        "": Deed(withdraw_account, WithdrawAccount), "inherit": Deed(inherit_account, InheritAccount),
    },
    "show_employer": {"": Deed(show_employer, AskEmployer)},
    "show_person": {"": Deed(show_person, AskPerson)},
    "issue_certificate": {"": Deed(issue_certificate, IssueCertificate)},
    "transfer": {"in": Deed(transfer_in, TransferIn), "out": Deed(transfer_out, TransferOut)},
    "reimburse": {"": Deed(settle_claim, SettleClaim)},
}
"""Effect of an item to what its body may ask: ``kind`` to the deed, ``""`` where none is said."""

_PLACE = " - at `$"



def _deed_of(effect: Mapping[str, Deed], body: Mapping[str, Any]) -> Deed | Refusal:
    kind = body.get("kind", "")
    if not isinstance(kind, str) or kind not in effect:
        return refuse("BODY_KIND", "申请内容没有说明办理哪一种业务", field="body.kind", received=str(kind)[:40],
                      remedy=f"请填写{'、'.join(sorted(k for k in effect if k))}" if any(effect) else "请勿填写")
    return effect[kind]


def _command_of(deed: Deed, body: Mapping[str, Any]) -> Any | Refusal:
    content = {name: value for name, value in body.items() if name != "kind"}
    if b"\\u0000" in msgspec.json.encode(content):
        return refuse("BODY_INVALID", "申请内容含有不可保存的字符", field="body", remedy="请去掉不可见字符")
    wanted = deed.command
    strangers = sorted(set(content) - {f.name for f in msgspec.structs.fields(wanted)})
    if strangers:
        return refuse("BODY_FIELD_UNKNOWN", "申请内容有该事项没有的项目", field=f"body.{strangers[0]}",
                      received="、".join(strangers)[:80], remedy="请核对项目名称")
    try:
        return msgspec.convert(content, wanted, strict=False)
    except msgspec.ValidationError as error:
        says, _, place = str(error).partition(_PLACE)
        return refuse("BODY_INVALID", "申请内容不完整或格式不对", field=f"body{place.rstrip('`')}", received=says[:120],
                      remedy="请按事项的内容格式填写")


def refuse_body(effect: Mapping[str, Deed], body: Mapping[str, Any]) -> Refusal | None:
    """Refuse content that the deed of an item could not read."""
    deed = _deed_of(effect, body)
    answer = deed if isinstance(deed, Refusal) else _command_of(deed, body)
    return answer if isinstance(answer, Refusal) else None


async def run_effect(
    tx: Connection, application: Application, *, effect: str, actor: Actor, now: datetime, ids: Ids, shelf: PolicyShelf
) -> Any | Refusal:
    """Run the deed that an application asks for and return its result.

    Where the deed itself wants four eyes, whoever reviewed the application is its maker and ``actor`` its checker.
    """
    body = body_of(application)
    deed = _deed_of(EFFECTS[effect], body)
    command = deed if isinstance(deed, Refusal) else _command_of(deed, body)
    if isinstance(deed, Refusal) or isinstance(command, Refusal):
        return command
    given: dict[str, Any] = {"actor": actor, "now": now, "ids": ids, "shelf": shelf}
    asked = inspect.signature(deed.does).parameters
    if "checker" in asked:
        maker = msgspec.structs.replace(actor, login=application.reviewed_by or application.submitted_by)
        given |= {"actor": maker, "checker": actor}
    if "application_id" in asked:
        given["application_id"] = application.application_id
    return await deed.does(tx, command, **{name: value for name, value in given.items() if name in asked})
