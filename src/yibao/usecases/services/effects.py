"""What approval of an application runs: the use case of its item, with the application's content as command.

A body may say ``kind`` where an item has several deeds (joining, leaving, retiring). Use cases are looked up when they
are needed, so that this table and not an import names what an item ends in.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from datetime import datetime
from functools import cache
from importlib import import_module
from typing import Any

import msgspec

from yibao.domains.services.model import Application
from yibao.domains.services.queries import body_of
from yibao.infra.database import Connection
from yibao.kernel.actor import Actor
from yibao.kernel.ids import Ids
from yibao.kernel.refusal import Refusal, refuse
from yibao.usecases.settlement.shelf import PolicyShelf

_ENROL, _ACCOUNT = "yibao.usecases.enrolment", "yibao.usecases.personal_accounts"
_OWN = "yibao.usecases.services.own_effects"

Deed = tuple[str, str, str]
"""Module and function of a use case, and the place of its command."""


def _enrolment(verb: str, command: str, module: str = "") -> Deed:
    return (f"{_ENROL}.{module or verb}", verb, f"{_ENROL}.commands:{command}")


EFFECTS: Mapping[str, Mapping[str, Deed]] = {
    "register_employer": {"": _enrolment("register_employer", "RegisterEmployer")},
    "change_employer": {"": _enrolment("change_employer", "ChangeEmployer")},
    "employee_enrolment": {
        "join": _enrolment("add_member", "AddMember"), "leave": _enrolment("remove_member", "RemoveMember"),
        "move": _enrolment("move_member", "MoveMember"), "flexible": _enrolment("enrol_flexible", "EnrolFlexible"),
        "retire": _enrolment("retire_member", "RetireMember"),
    },
    "resident_enrolment": {
        "": _enrolment("enrol_resident", "EnrolResident"), "newborn": _enrolment("enrol_newborn", "EnrolNewborn"),
    },
    "change_person": {"": _enrolment("change_person", "ChangePerson")},
    "take_assisted_list": {"": _enrolment("take_assisted_list", "TakeAssistedList")},
    "withdraw_account": {
        "": (f"{_ACCOUNT}.withdraw_account", "withdraw_account", f"{_ACCOUNT}.commands:WithdrawAccount"),
        "inherit": (f"{_ACCOUNT}.inherit_account", "inherit_account", f"{_ACCOUNT}.commands:InheritAccount"),
    },
    "show_employer": {"": (_OWN, "show_employer", f"{_OWN}:AskEmployer")},
    "show_person": {"": (_OWN, "show_person", f"{_OWN}:AskPerson")},
    "issue_certificate": {
        "": ("yibao.usecases.certificates.issue_certificate", "issue_certificate",
             "yibao.usecases.certificates.commands:IssueCertificate"),
    },
    "transfer": {
        "in": ("yibao.usecases.transfers.transfer_in", "transfer_in", "yibao.usecases.transfers.commands:TransferIn"),
        "out": ("yibao.usecases.transfers.transfer_out", "transfer_out", "yibao.usecases.transfers.commands:TransferOut"),
    },
}
"""Effect of an item to what its body may ask: ``kind`` to the deed, ``""`` where none is said."""

_PLACE = " - at `$"


@cache
def _command_type(place: str) -> Any:
    module, _, name = place.partition(":")
    return getattr(import_module(module), name)


@cache
def _use_case(module: str, name: str) -> Callable[..., Any]:
    found: Callable[..., Any] = getattr(import_module(module), name)
    return found


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
    wanted = _command_type(deed[2])
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
    function = _use_case(deed[0], deed[1])
    given: dict[str, Any] = {"actor": actor, "now": now, "ids": ids, "shelf": shelf}
    asked = inspect.signature(function).parameters
    if "checker" in asked:
        maker = msgspec.structs.replace(actor, login=application.reviewed_by or application.submitted_by)
        given |= {"actor": maker, "checker": actor}
    if "application_id" in asked:
        given["application_id"] = application.application_id
    return await function(tx, command, **{name: value for name, value in given.items() if name in asked})
