"""Replies as bytes: the envelope of success and of failure, the gateway's own refusal, and HTTP headers."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from typing import Any
from urllib.parse import quote

import msgspec

from yibao.entrypoints.gateway.registry import FileReply, Output
from yibao.infra.digest import sm3
from yibao.kernel.business_time import SHANGHAI, digits
from yibao.kernel.ids import Ids

_ENCODER = msgspec.json.Encoder(decimal_format="number")
JSON_TYPE = b"application/json;charset=utf-8"
FILE_TYPE = b"application/octet-stream"
RETRY = "平台暂时不能完成该交易，请用同一发送方报文ID重试"


class Reply(msgspec.Struct, frozen=True):
    """What goes back over HTTP."""

    body: bytes
    status: int = 200
    content_type: bytes = JSON_TYPE
    extra_headers: tuple[tuple[bytes, bytes], ...] = ()

    def headers(self) -> list[tuple[bytes, bytes]]:
        """Return the headers: type, length, and a digest by which a cut reply is known."""
        return [
            (b"content-type", self.content_type),
            (b"content-length", str(len(self.body)).encode()),
            (b"x-yibao-digest", b"sm3=" + sm3(self.body).hex().encode()),
            (b"cache-control", b"no-store"),
            *self.extra_headers,
        ]


def stamp(at: datetime) -> str:
    """Return an instant as ``yyyyMMddHHmmssSSS`` of business time."""
    return digits(at.astimezone(SHANGHAI))


def _without_minus_zero(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_minus_zero(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_without_minus_zero(item) for item in value]
    if isinstance(value, Decimal) and value.is_zero():
        return value.copy_abs()
    return value


def _encode(reply: dict[str, Any]) -> bytes:
    body = _ENCODER.encode(reply)
    if b":-0" in body or b"[-0" in body or b",-0" in body:
        body = _ENCODER.encode(_without_minus_zero(reply))
    return body


def encode_success(
    output: Output, *, region: str, ids: Ids, received_at: datetime, responded_at: datetime, warnings: list[str]
) -> bytes:
    """Return the envelope of a success; amounts in ``output`` become exact JSON numbers."""
    reply_id = ids.new(responded_at.astimezone(SHANGHAI))
    return _encode({
        "infcode": 0,
        "inf_refmsgid": region + reply_id,
        "refmsg_time": stamp(received_at),
        "respond_time": stamp(responded_at),
        "enctype": None,
        "signtype": None,
        "cainfo": None,
        "warn_msg": "；".join(warnings) if warnings else None,
        "err_msg": "",
        "output": output,
    })


def success_encoder(
    *, region: str, ids: Ids, received_at: datetime, now: Callable[[], datetime], warnings: list[str]
) -> Callable[[Output], bytes]:
    """Return the function that turns an output into reply bytes; the response time is that of encoding."""

    def encode(output: Output) -> bytes:
        return encode_success(
            output, region=region, ids=ids, received_at=received_at, responded_at=now(), warnings=warnings
        )

    return encode


def encode_failure(reason: str, *, trace: str, received_at: datetime, responded_at: datetime) -> bytes:
    """Return the envelope of a failure: the Chinese reason first, the trace id in brackets behind it."""
    # A refusal may quote keys that no table knows: what cannot be written as UTF-8 is shown as "?".
    reason = reason.encode("utf-8", "replace").decode()
    return _encode({
        "infcode": -1,
        "inf_refmsgid": "",
        "refmsg_time": stamp(received_at),
        "respond_time": stamp(responded_at),
        "enctype": None,
        "signtype": None,
        "cainfo": None,
        "warn_msg": None,
        "err_msg": f"{reason} [{trace}]",
        "output": None,
    })


def gateway_refusal(reason: str, code: int = 401, status: int = 200) -> Reply:
    """Return the gateway's own refusal, which is no envelope: the sender was not recognised."""
    return Reply(msgspec.json.encode({"code": code, "message": reason}), status=status)


def file_reply(file: FileReply) -> Reply:
    """Return a file download."""
    disposition = f"attachment; filename*=UTF-8''{quote(file.filename)}".encode()
    return Reply(file.content, content_type=FILE_TYPE, extra_headers=((b"content-disposition", disposition),))
