"""Whatever is refused or goes wrong ends in one form: problem details (RFC 9457) with all faults, in plain Chinese."""

from __future__ import annotations

import logging
import secrets
from collections.abc import Mapping, Sequence
from typing import Any

import asyncpg
import msgspec
from litestar import Request, Response
from litestar.exceptions import HTTPException

from yibao.infra.database import Unavailable
from yibao.kernel.refusal import Fault, Refusal

MEDIA_TYPE = "application/problem+json"
_LOG = logging.getLogger(__name__)
_RETRY = {"retry-after": "5"}

TITLES = {
    400: "请求有误", 401: "没有有效的密钥", 403: "没有这项权限", 404: "没有找到", 405: "不支持这种方法", 409: "与已有数据冲突",
    413: "内容过大", 415: "内容格式不支持", 422: "不能办理",
    423: "系统切换暂停办理", 429: "请求过于频繁", 500: "系统故障", 503: "暂时无法办理",
}
_CONFLICTS = frozenset(("MSGID_REUSED", "MESSAGE_REVERSED", "CONFLICT", "PROPOSAL_DECIDED", "CORRECTION_DECIDED"))
_FORBIDDEN = frozenset(("REGION_NOT_YOURS", "DIVISION_NOT_YOURS", "ROLE_MISSING"))


class Problem(msgspec.Struct, frozen=True, kw_only=True):
    """Problem details: what was refused, why, and what to do next.

    Attributes:
        type: ``urn:yibao:problem:`` and the code.
        title: the kind of problem, in Chinese.
        detail: all faults as one text.
        code: code of the first fault, which by precedence names the problem.
        faults: every fault with field, what was received, and remedy.
    """

    type: str
    title: str
    status: int
    detail: str
    code: str
    faults: tuple[Fault, ...]


class Refused(Exception):
    """Leaves the work under way; what was begun is rolled back. The refusal travels inside."""

    def __init__(self, refusal: Refusal, status: int | None = None, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(refusal.code)
        self.refusal = refusal
        self.status = status_of(refusal.code) if status is None else status
        self.headers = dict(headers or {})


def refused(
    status: int, code: str, reason: str, *, field: str = "", received: str = "", remedy: str = "",
    headers: Mapping[str, str] | None = None,
) -> Refused:
    """Return the exception of a single fault."""
    return Refused(Refusal((Fault(code, reason, field, received, remedy),)), status, headers)


def status_of(code: str) -> int:
    """Return the HTTP status of a refusal: 404 for what is not there (or not yours to know of), else 422."""
    if code.endswith("_NOT_FOUND"):
        return 404
    if code == "WINDOW_STOPPED":
        return 423
    if code in _CONFLICTS:
        return 409
    return 403 if code in _FORBIDDEN else 422


def problem(
    faults: Sequence[Fault], status: int, *, detail: str = "", headers: Mapping[str, str] | None = None
) -> Response[bytes]:
    """Return a problem as a response."""
    refusal = Refusal(tuple(faults))
    body = Problem(
        type=f"urn:yibao:problem:{refusal.code}", title=TITLES.get(status, TITLES[400]), status=status,
        detail=detail or refusal.sentence(), code=refusal.code, faults=refusal.faults,
    )
    return Response(msgspec.json.encode(body), status_code=status, media_type=MEDIA_TYPE, headers=dict(headers or {}))


AnyRequest = Request[Any, Any, Any]


def show_refused(_request: AnyRequest, error: Refused) -> Response[bytes]:
    """Answer a refusal."""
    return problem(error.refusal.faults, error.status, headers=error.headers)


def show_http_error(_request: AnyRequest, error: HTTPException) -> Response[bytes]:
    """Answer what the framework refuses: an unknown path, another method, too large a body."""
    status = error.status_code if error.status_code in TITLES else 400 if error.status_code < 500 else 500
    headers = {k: v for k, v in (error.headers or {}).items() if k.lower() == "allow"}
    return problem((Fault(_HTTP_CODES.get(status, "REQUEST_INVALID"), TITLES[status]),), status, headers=headers)


_HTTP_CODES = {404: "PATH_NOT_FOUND", 405: "METHOD_NOT_OFFERED", 413: "BODY_TOO_LARGE", 500: "DEFECT"}


def show_out_of_range(request: AnyRequest, error: Exception) -> Response[bytes]:
    """Answer a value that no column can hold."""
    _LOG.info("api %s: value out of range: %r", request.url.path, error)
    return problem((Fault("VALUE_OUT_OF_RANGE", "有数值、日期或文字超出可以保存的范围", remedy="请核对后重新填写"),), 422)


def show_conflict(request: AnyRequest, error: Exception) -> Response[bytes]:
    """Answer what the database's own constraints refuse; a use case should have said it in better words."""
    _LOG.warning("api %s: a constraint refused what no use case had refused: %r", request.url.path, error)
    return problem((Fault("CONFLICT", "与已有数据冲突，没有保存", remedy="请查询后核对再办"),), 409)


def show_forbidden(request: AnyRequest, error: Exception) -> Response[bytes]:
    """Answer a write that row-level security refuses: the object is another region's or division's.

    A table that the role was never granted is a fault of ours, and is told as one.
    """
    if "row-level security" not in str(error):
        return show_defect(request, error)
    _LOG.warning("api %s: not allowed: %r", request.url.path, error)
    return problem((Fault("REGION_NOT_YOURS", "不属于您办理的范围", remedy="请由所属经办机构办理"),), 403)


def show_unavailable(request: AnyRequest, error: Exception) -> Response[bytes]:
    """Answer that there is no answer in time; nothing was changed."""
    _LOG.warning("api %s unavailable: %r", request.url.path, error)
    return problem(
        (Fault("UNAVAILABLE", "系统正忙或正在维护，数据没有改变", remedy="请稍后用同一个 Idempotency-Key 重试"),),
        503, headers=_RETRY,
    )


def show_driver_error(request: AnyRequest, error: Exception) -> Response[bytes]:
    """Answer what the driver refuses: a value it cannot send, or a connection that is going down."""
    return (show_out_of_range if isinstance(error, ValueError) else show_unavailable)(request, error)


def show_defect(request: AnyRequest, error: Exception) -> Response[bytes]:
    """Log a fault of ours with its trace, and tell a number to ask by."""
    trace = secrets.token_hex(6)
    _LOG.error("api %s failed, trace %s", request.url.path, trace, exc_info=error)
    return problem((Fault("DEFECT", f"系统故障，编号 {trace}，数据没有改变", remedy="请把编号告诉运维人员"),), 500)


HANDLERS: dict[Any, Any] = {
    Refused: show_refused,
    HTTPException: show_http_error,
    asyncpg.IntegrityConstraintViolationError: show_conflict,
    asyncpg.InsufficientPrivilegeError: show_forbidden,
    asyncpg.DataError: show_out_of_range,
    asyncpg.InterfaceError: show_driver_error,
    Unavailable: show_unavailable,
    OSError: show_unavailable,
    asyncpg.QueryCanceledError: show_unavailable,
    asyncpg.OperatorInterventionError: show_unavailable,
    asyncpg.LockNotAvailableError: show_unavailable,
    asyncpg.DeadlockDetectedError: show_unavailable,
    asyncpg.SerializationError: show_unavailable,
    asyncpg.PostgresConnectionError: show_unavailable,
    Exception: show_defect,
}
