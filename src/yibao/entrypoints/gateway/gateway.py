"""The institutions' way in: one raw ASGI application that answers every message, whatever came.

Body, sender, envelope, field tables, handler, reply; a stack trace or a status of 500 never leaves here.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from datetime import datetime, timedelta
from typing import Any

import msgspec

from yibao.domains.institutions.model import Institution, Sender
from yibao.domains.institutions.rules import check_agreement
from yibao.entrypoints.gateway import interface, replies
from yibao.entrypoints.gateway.decode import Malformed, decode
from yibao.entrypoints.gateway.dispatch import Answer, Dispatcher, gave_no_answer, unavailable
from yibao.entrypoints.gateway.multipart import read_form
from yibao.entrypoints.gateway.problems import told
from yibao.entrypoints.gateway.reading import Reader, Reading, care_place_fault, digest, not_offered
from yibao.entrypoints.gateway.registry import FileReply, Handler, Message, Services, offered
from yibao.entrypoints.gateway.replies import Reply
from yibao.entrypoints.gateway.routes import Routes, canonical
from yibao.entrypoints.gateway.senders import NotRecognised, Senders, prove, read_claim
from yibao.entrypoints.gateway.traffic import REQUEST_MAX, Entry, TrafficLog
from yibao.entrypoints.gateway.validation import Validator
from yibao.entrypoints.gateway.window import Window
from yibao.infra import failpoints
from yibao.infra.config import Settings
from yibao.infra.messages import MessageKey
from yibao.kernel.business_time import SHANGHAI
from yibao.kernel.refusal import Refusal, refuse

LOG = logging.getLogger("yibao.gateway")
DEFECT = "平台内部错误，已记录，请用同一发送方报文ID重试或联系平台运维"
_PART_WITHIN_S = 10.0
_BODY_WITHIN_S = 60.0

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]


class Request(msgspec.Struct, frozen=True):
    """An HTTP request as the gateway sees it; header names in lower case."""

    path: str
    headers: Mapping[str, str]
    body: bytes
    method: str = "POST"


class _Gone(Exception):
    """The caller went away before the body was complete."""


class _Work(msgspec.Struct):
    """What is known of one request while it is answered; a trace only where somebody may ask for it."""

    request: Request
    received_at: datetime
    content: bytes = b""
    trace: str = ""
    reading: Reading | None = None
    institution: Institution | None = None
    message: Message | None = None


class Gateway:
    """Answers institutions' messages; mount it where :meth:`claims` says so, or everywhere."""

    def __init__(self, services: Services, *, handlers: Mapping[str, Handler] | None = None) -> None:
        self._services = services
        self._settings: Settings = services.settings if services.settings is not None else Settings()
        self._handlers = offered() if handlers is None else handlers
        self._validator = Validator(interface.load())
        self._validator.compile_all()
        self._reader = Reader(self._validator)
        self._routes = Routes(self._validator.interface)
        self._senders = Senders(services.database, services.clock)
        self._dispatcher = Dispatcher(services)
        self._window = Window(services)
        self._traffic = TrafficLog(services.database)

    def claims(self, path: str) -> bool:
        """Say whether a POST to ``path`` is an institution's message."""
        return self._routes.claims(path)

    async def flush(self) -> None:
        """Write the traffic log up to now."""
        await self._traffic.flush()

    async def close(self) -> None:
        """Write the rest of the traffic log; call at shutdown, before the database closes."""
        await self._traffic.stop()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one HTTP request."""
        if scope["type"] != "http":
            return
        headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}
        limit = self._settings.body_bytes_max
        try:
            body = await _read_body(receive, headers, limit)
        except Malformed as malformed:
            await self._send(send, self._refuse_unread(malformed.refusal))
            return
        except _Gone:
            return
        request = Request(scope["path"], headers, body, scope["method"])
        if self._settings.failpoints:
            failpoints.armed.set(headers.get("x-yibao-failpoint", ""))
        await self._send(send, await self.answer(request))

    async def _send(self, send: Send, reply: Reply) -> None:
        await send({"type": "http.response.start", "status": reply.status, "headers": reply.headers()})
        failpoints.reached("reply_started")
        if failpoints.armed.get() == "reply_half":
            half = len(reply.body) // 2
            await send({"type": "http.response.body", "body": reply.body[:half], "more_body": True})
            failpoints.reached("reply_half")
            await send({"type": "http.response.body", "body": reply.body[half:]})
        else:
            await send({"type": "http.response.body", "body": reply.body})
        failpoints.reached("reply_sent")

    def _refuse_unread(self, refusal: Refusal) -> Reply:
        now = self._services.clock.now().astimezone(SHANGHAI)
        body = replies.encode_failure(
            refusal.sentence(), trace=self._services.ids.new(now), received_at=now, responded_at=now
        )
        return Reply(body)

    async def answer(self, request: Request) -> Reply:
        """Return the reply to a request: always one, never an exception."""
        started = time.perf_counter_ns()
        received_at = self._services.clock.now().astimezone(SHANGHAI)
        work = _Work(request, received_at, request.body)
        if request.method != "POST":
            return Reply(
                replies.gateway_refusal(f"只接受POST请求，收到的是{request.method[:10]}", code=405).body, status=405,
                extra_headers=((b"allow", b"POST"),),
            )
        try:
            failpoints.reached("received")
            answer = await self._answer(work)
        except NotRecognised as reason:
            work.trace = self._services.ids.new(received_at)
            reply = replies.gateway_refusal(str(reason))
            self._log(work, reply, Answer(refuse("SENDER_NOT_RECOGNISED", str(reason)), "refused"), started)
            return reply
        except Malformed as malformed:
            answer = Answer(malformed.refusal, "refused")
        except Exception as error:
            work.trace = self._services.ids.new(received_at)
            if gave_no_answer(error):
                LOG.warning("no answer in time, trace %s: %r", work.trace, error)
                answer = Answer(unavailable(), "unavailable")
            else:
                LOG.exception("defect while answering, trace %s", work.trace)
                answer = Answer(refuse("DEFECT", DEFECT), "defect")
        if not answer.stored:
            work.trace = work.trace or self._services.ids.new(received_at)
        reply = self._reply(work, answer)
        if not answer.stored:
            self._log(work, reply, answer, started)
        return reply

    def _reply(self, work: _Work, answer: Answer) -> Reply:
        if isinstance(answer.reply, bytes):
            return Reply(answer.reply)
        if isinstance(answer.reply, FileReply):
            return replies.file_reply(answer.reply)
        return Reply(replies.encode_failure(
            told(answer.reply), trace=work.trace, received_at=work.received_at,
            responded_at=self._services.clock.now(),
        ))

    async def _answer(self, work: _Work) -> Answer:
        sender = await self._read(work)
        reading = work.reading
        assert reading is not None
        if sender is None:
            _add_unknown_institution(reading)
        else:
            self._check_institution(work, sender.institution)
        self._reader.validate(reading)
        refusal = reading.problems.refusal()
        if refusal is not None:
            return Answer(refusal, "refused")
        assert reading.spec is not None
        failpoints.reached("validated")
        handler = self._handlers.get(reading.infno)
        if handler is None or sender is None:
            return Answer(not_offered(reading.infno, reading.spec.transaction.name_zh), "refused")
        message = work.message = self._message(work, reading, sender.institution)
        stopped = await self._window.stops(handler, message)
        if stopped is not None:
            return stopped
        return self._window.naming_the_way(await self._dispatcher.dispatch(handler, message), message)

    async def _read(self, work: _Work) -> Sender | None:
        """Decode the body and prove the sender; None: nobody we know, and nobody who claims to be."""
        request = work.request
        path_infno = self._routes.infno(request.path)
        upload: bytes | None = None
        claim = read_claim(request.headers)
        try:
            content_type = request.headers.get("content-type", "")
            if content_type.lower().startswith("multipart/"):
                form = read_form(content_type, request.body)
                work.content = form.envelope
                upload = form.file.content if form.file else None
            body = decode(work.content)
        except Malformed:
            if claim.scheme != "none":
                work.institution = (await self._prove_by_key(request, claim.access_key)).institution
            raise
        reading = work.reading = self._reader.read(body, path_infno)
        if upload is not None:
            _attach(reading, upload)
        sender = await self._senders.by_code(reading.fixmedins_code) if reading.fixmedins_code else None
        if sender is None:
            if claim.scheme != "none":
                await self._prove_by_key(request, claim.access_key)
                raise NotRecognised("访问密钥与报文中的定点医药机构编号不符")
            return None
        self._prove(sender, request)
        named = canonical(claim.api_name)
        if sender.auth_scheme == "api_hmac_sha1" and named in self._handlers and named != reading.infno:
            raise NotRecognised("请求头_api_name与报文的交易编号不符")
        return sender

    def _prove(self, sender: Sender, request: Request) -> None:
        prove(
            sender, request.headers, now=self._services.clock.now(),
            tolerance=timedelta(seconds=self._settings.clock_tolerance_s), unsigned_allowed=self._settings.demo,
        )

    async def _prove_by_key(self, request: Request, access_key: str) -> Sender:
        """Return who signed a message whose body names no institution we know."""
        printable = access_key.isascii() and access_key.isprintable()
        sender = await self._senders.by_access_key(access_key) if access_key and printable else None
        if sender is None:
            raise NotRecognised("访问密钥不存在")
        self._prove(sender, request)
        return sender

    def _check_institution(self, work: _Work, institution: Institution) -> None:
        reading = work.reading
        assert reading is not None
        work.institution = institution
        refusal = check_agreement(institution, work.received_at.date())
        if refusal is not None:
            reading.problems.faults.extend(refusal.faults)
        fault = care_place_fault(reading.envelope, region=institution.region, admdvs=institution.admdvs)
        if fault is not None:
            reading.problems.faults.append(fault)

    def _message(self, work: _Work, reading: Reading, institution: Institution) -> Message:
        key = MessageKey(
            sender=institution.fixmedins_code, msgid=reading.msgid, infno=reading.infno, admdvs=institution.region,
            digest=digest(reading), request=work.content, received_at=work.received_at,
        )
        return Message(
            infno=reading.infno, msgid=reading.msgid, envelope=reading.envelope, input=reading.input,
            institution=institution, key=key, received_at=work.received_at, warnings=reading.problems.warnings,
        )

    def _log(self, work: _Work, reply: Reply, answer: Answer, started: int) -> None:
        reading = work.reading
        envelope = reading.envelope if reading is not None else {}
        institution = work.institution
        logged = reply.body
        if isinstance(answer.reply, FileReply):
            logged = msgspec.json.encode({"filename": answer.reply.filename, "bytes": len(reply.body)})
        self._traffic.put(Entry(
            id=work.trace, sender=institution.fixmedins_code if institution else envelope.get("fixmedins_code", ""),
            msgid=envelope.get("msgid", ""), admdvs=institution.region if institution else "",
            infno=reading.infno if reading is not None else "", outcome=answer.outcome,
            refusal_code=answer.reply.code if isinstance(answer.reply, Refusal) else None,
            psn_no=_person_of(work),
            mdtrt_id=reading.named("mdtrt_id") if reading is not None else None,
            request=work.content[:REQUEST_MAX], reply=logged, received_at=work.received_at,
            took_us=(time.perf_counter_ns() - started) // 1000,
        ))


def _person_of(work: _Work) -> str | None:
    """Return the person a message is about: named in it, or found by it."""
    named = work.reading.named("psn_no") if work.reading is not None else None
    return named or (work.message.found_psn_no if work.message is not None else None)


def _attach(reading: Reading, upload: bytes) -> None:
    """Put an uploaded file where the field table of 9101 has it."""
    node = reading.source.get("fsUploadIn")
    if isinstance(node, dict):
        node["in"] = upload


def _add_unknown_institution(reading: Reading) -> None:
    """Add the fault of a sender nobody knows, unless its code is missing or wrong in itself."""
    code = reading.envelope.get("fixmedins_code")
    if code and not any(fault.field == "fixmedins_code" for fault in reading.problems.faults):
        reading.problems.add_plain(
            "fixmedins_code", "INSTITUTION_UNKNOWN", "定点医药机构编号不存在", "请核对定点医药机构编号", shown=code[:30]
        )


def _too_large(limit: int) -> Malformed:
    return Malformed(refuse(
        "BODY_TOO_LARGE", f"报文超过上限{limit // 1024}KB", field="input", remedy="请分批上传",
    ))


async def _read_body(receive: Receive, headers: Mapping[str, str], limit: int) -> bytes:
    """Return the whole body, refusing early what is announced or grows beyond ``limit`` bytes."""
    announced = headers.get("content-length", "")
    if announced.isdigit() and int(announced[:18]) > limit:
        raise _too_large(limit)
    if headers.get("content-encoding", "identity").lower() not in ("identity", ""):
        raise Malformed(refuse("BODY_COMPRESSED", "不接受压缩的报文", remedy="请去掉Content-Encoding后重发"))
    chunks: list[bytes] = []
    size = 0
    try:
        # One timer, moved on with every part: most bodies come in one part, and timers cost.
        async with asyncio.timeout(_PART_WITHIN_S) as timer:
            ends_at = asyncio.get_running_loop().time() + _BODY_WITHIN_S
            while True:
                event = await receive()
                if event["type"] == "http.disconnect":
                    raise _Gone
                chunk = event.get("body", b"")
                size += len(chunk)
                if size > limit:
                    raise _too_large(limit)
                chunks.append(chunk)
                if not event.get("more_body", False):
                    return chunks[0] if len(chunks) == 1 else b"".join(chunks)
                timer.reschedule(min(asyncio.get_running_loop().time() + _PART_WITHIN_S, ends_at))
    except TimeoutError:
        raise Malformed(refuse(
            "BODY_TOO_SLOW", "报文未在规定时间内传完", remedy="请用同一发送方报文ID重试",
        )) from None


