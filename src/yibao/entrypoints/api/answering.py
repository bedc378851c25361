"""From an HTTP request to a use case and back: one transaction of the actor's regions, committed here."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
from litestar import Response

from yibao.domains.access.agents_model import Proposal
from yibao.domains.access.verbs import verbs
from yibao.domains.windows.model import OPEN, Judged
from yibao.entrypoints.api.as_of import dated_answer
from yibao.entrypoints.api.authority import Authority
from yibao.entrypoints.api.problems import AnyRequest, Refused, refused
from yibao.entrypoints.api.routing import JSON, Route
from yibao.entrypoints.api.services import BODY_BYTES_MAX, ApiServices, Call
from yibao.entrypoints.api.values import read_body, read_parameters, shown
from yibao.entrypoints.api.window import pass_window, with_advice
from yibao.infra.database import Connection
from yibao.infra.digest import sm3
from yibao.infra.messages import MessageKey, Replayed, claim, store
from yibao.kernel.actor import Actor
from yibao.kernel.business_time import SHANGHAI
from yibao.kernel.refusal import Fault, Refusal
from yibao.usecases.access.keep_proposal import Asked, keep_proposal
from yibao.usecases.access.see_object import divide, see_objects

KEY_HEADER = "idempotency-key"
KEY_PATTERN = r"^[A-Za-z0-9][A-Za-z0-9._:-]{7,63}$"
_KEY = re.compile(KEY_PATTERN)
PROPOSED = 202
"""Status of a deed that waits: for its second person, or for somebody who looks into it first."""


class Asking(msgspec.Struct, frozen=True, kw_only=True):
    """A request read into the types of its route; ``texts`` are the parameters as they came."""

    parameters: msgspec.Struct
    texts: dict[str, str]
    body: Any
    content: bytes


async def answer(
    route: Route, request: AnyRequest, *, authority: Authority, services: ApiServices, operations: Mapping[str, Route]
) -> Response[bytes]:
    """Answer one request.

    Args:
        operations: all operations by name: a proposal that is approved is one of them.

    Raises:
        Refused: with the refusal of whoever said no first: the guard, the types, the objects, the use case.
    """
    actor = await authority.authorize(request, route)
    asking = await _read(route, request, file_bytes_max=services.file_bytes_max)
    key = _message_key(route, request, asking, actor=actor, services=services)
    await services.gate.fresh()
    async with services.database.transaction(regions=actor.regions) as tx:
        await divide(tx, actor)
        if key is not None:
            stored = await claim(tx, key)
            if isinstance(stored, Replayed):
                return _response(route, stored.reply, repeated=True)
            if stored is not None:
                raise Refused(stored)
        call = _call(tx, actor=actor, services=services, operations=operations)
        call = await pass_window(call, route.operation, named=_named(asking))
        if call.judged.snapshot_at is not None:
            return await _as_of(route, asking, call=call)
        content, kept = await _work(route, asking, call=call)
        if key is not None:
            await store(tx, key, kept, replied_at=services.clock.now(), psn_no=_person_of(asking))
    return _response(route, content, judged=call.judged)


def _call(
    tx: Connection, *, actor: Actor, services: ApiServices, operations: Mapping[str, Route]
) -> Call:
    async def do_again(call: Call, proposal: Proposal) -> Any:
        route = operations[proposal.operation]
        content = b"" if proposal.body is None else msgspec.json.encode(proposal.body)
        texts = {name: str(text) for name, text in proposal.parameters.items()}
        asking = _understood(route, texts, content)
        call = await pass_window(call, route.operation, named=_named(asking))
        return await perform(route, asking, call=call)

    return Call(
        tx=tx, actor=actor, now=services.clock.now().astimezone(SHANGHAI), ids=services.ids, shelf=services.shelf,
        services=services, do_again=do_again,
    )


async def _work(route: Route, asking: Asking, *, call: Call) -> tuple[bytes, bytes]:
    """Do what is asked, or keep it for a second person; return the answer and what is stored of it."""
    if route.verb and verbs()[route.verb].checker:
        await _see(asking, call=call)
        asked = Asked(
            verb=route.verb, operation=route.operation, psn_no=_person_of(asking), parameters=asking.texts,
            body=msgspec.json.decode(asking.content) if asking.content else None,
        )
        proposed = msgspec.json.encode(
            await keep_proposal(call.tx, asked, actor=call.actor, now=call.now, ids=call.ids)
        )
        return proposed, proposed
    result = await perform(route, asking, call=call)
    if isinstance(result, bytes):
        return result, result
    content = msgspec.json.encode(result)
    return content, content if route.kept is None else msgspec.json.encode(route.kept(result))


async def _as_of(route: Route, asking: Asking, *, call: Call) -> Response[bytes]:
    """Answer a question as of the stop, with its date; one for which nothing was kept is refused."""
    await _see(asking, call=call)
    dated = await dated_answer(route, asking.texts, call=call)
    if isinstance(dated, Refusal):
        raise Refused(dated)
    at = dated.taken_at.astimezone(SHANGHAI)
    judged = msgspec.structs.replace(
        call.judged, snapshot_at=at, advice=(f"截至{at:%Y-%m-%d %H:%M}的数据", *call.judged.advice))
    return _response(route, dated.answer, judged=judged)


async def _see(asking: Asking, *, call: Call) -> None:
    unseen = await see_objects(call.tx, _named(asking), actor=call.actor)
    if unseen is not None:
        raise Refused(unseen)


async def perform(route: Route, asking: Asking, *, call: Call) -> Any:
    """Call the use case of a route.

    Raises:
        Refused: the use case refuses; leaving the transaction this way rolls it back.
    """
    await _see(asking, call=call)
    values = {name: getattr(asking.parameters, name) for name in asking.parameters.__struct_fields__}
    if route.body is not None:
        values["data"] = asking.body
    result = await route.fn(call, **values)
    if isinstance(result, Refusal):
        raise Refused(result)
    return result


async def _read(route: Route, request: AnyRequest, *, file_bytes_max: int) -> Asking:
    texts: dict[str, str] = {}
    faults: list[Fault] = []
    for name, text in request.query_params.multi_items():
        if name in texts:
            faults.append(Fault("PARAMETER_REPEATED", "参数重复", shown(name), remedy="每个参数只写一次"))
        elif name in route.in_path:
            faults.append(Fault("PARAMETER_UNKNOWN", "没有这个参数", shown(name)))
        texts[name] = text
    texts |= {name: str(request.path_params[name]) for name in route.in_path}
    content = b"" if route.body is None else await _content(route, request, file_bytes_max=file_bytes_max)
    return _understood(route, texts, content, faults)


def _understood(route: Route, texts: dict[str, str], content: bytes, found: Sequence[Fault] = ()) -> Asking:
    """Return parameters and body in the types of the route.

    Raises:
        Refused: 400 with every fault of both.
    """
    faults = list(found)
    parameters = read_parameters(route.parameters, texts)
    if isinstance(parameters, list):
        faults += parameters
    body = None
    if route.body is not None:
        body, more = (content, _empty(content)) if route.body is bytes else read_body(route.body, content)
        faults += more
    if faults or isinstance(parameters, list):
        raise Refused(Refusal(tuple(faults)), 400)
    return Asking(parameters=parameters, texts=texts, body=body, content=content)


def _empty(content: bytes) -> list[Fault]:
    return [] if content else [Fault("FILE_MISSING", "没有收到文件", "data", remedy="请重新上传")]


async def _content(route: Route, request: AnyRequest, *, file_bytes_max: int) -> bytes:
    """Return the body, read up to the limit and not further.

    Raises:
        Refused: 415 for another type, 413 when there is more than the limit.
    """
    sent = request.headers.get("content-type", "").split(";")[0].strip().lower()
    if sent != route.takes:
        raise refused(415, "MEDIA_TYPE_NOT_OFFERED", f"请求体须为 {route.takes}", field="content-type", received=shown(sent))
    most = file_bytes_max if route.body is bytes else BODY_BYTES_MAX
    parts = bytearray()
    async for part in request.stream():
        parts += part
        if len(parts) > most:
            raise refused(413, "BODY_TOO_LARGE", f"请求体最大 {most // 1024} KB", remedy="请拆分后提交")
    return bytes(parts)


def _message_key(
    route: Route, request: AnyRequest, asking: Asking, *, actor: Actor, services: ApiServices
) -> MessageKey | None:
    if not route.changes:
        return None
    text = request.headers.get(KEY_HEADER, "")
    if not _KEY.match(text):
        raise refused(400, "IDEMPOTENCY_KEY_MISSING" if not text else "IDEMPOTENCY_KEY_INVALID",
                      "改变数据的请求须带 Idempotency-Key：8 至 64 位字母、数字、点、横线、下划线、冒号", field=KEY_HEADER,
                      received=shown(text), remedy="每件事用一个新的值，重试时用同一个值")
    # The same content written with other blanks or in another order of fields is the same content.
    body = asking.content if route.body is bytes else msgspec.json.encode(asking.body, order="deterministic")
    texts = msgspec.json.encode(asking.texts, order="deterministic")
    return MessageKey(
        sender=actor.sender, msgid=text, infno=route.operation, admdvs=actor.regions[0],
        digest=sm3(b"\n".join((route.operation.encode(), texts, body))), request=asking.content or texts,
        received_at=services.clock.now(),
    )


def _named(asking: Asking) -> dict[str, Any]:
    """Return the objects that a request names in its parameters or at the top of its body."""
    named: dict[str, Any] = dict(asking.texts)
    if isinstance(asking.body, msgspec.Struct):
        named |= {name: getattr(asking.body, name) for name in asking.body.__struct_fields__}
    elif isinstance(asking.body, dict):
        named |= asking.body
    return named


def _person_of(asking: Asking) -> str | None:
    psn_no = _named(asking).get("psn_no")
    return psn_no if isinstance(psn_no, str) and psn_no else None


def _response(route: Route, content: bytes, *, repeated: bool = False, judged: Judged = OPEN) -> Response[bytes]:
    is_proposed = bool(route.verb and verbs()[route.verb].checker)
    status = PROPOSED if is_proposed or _waits(route, content) else route.status
    headers = with_advice({"cache-control": "no-store"}, judged)
    if repeated:
        headers["idempotent-replayed"] = "true"
    return Response(content, status_code=status, media_type=JSON if is_proposed else route.produces, headers=headers)


def _waits(route: Route, content: bytes) -> bool:
    # Read from the bytes, so that a repeat is told the same as the first time.
    return route.waits is not None and route.waits(msgspec.json.decode(content, type=route.answer))
