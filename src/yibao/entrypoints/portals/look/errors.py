"""Whatever goes wrong ends in a page in plain Chinese, never in a stack trace."""

from __future__ import annotations

import logging
import secrets
from typing import Any

import asyncpg
from litestar import Response
from litestar.exceptions import HTTPException
from litestar.response import Redirect

from yibao.entrypoints.portals.look.forms import AnyRequest
from yibao.entrypoints.portals.look.rendering import link, page
from yibao.infra.database import Unavailable
from yibao.kernel.refusal import Refusal

_LOG = logging.getLogger(__name__)

_PAGES = {
    400: ("请求有误", "地址或表单的内容无法识别，请返回后重新填写。"),
    403: ("表单已失效", "为保护您的账号，表单只能从本站打开的页面提交。请返回上一页，刷新后重试。"),
    404: ("没有找到", "页面不存在，或不属于您所在的机构。请核对编号后重新查询。"),
    405: ("不支持这种访问方式", "请从页面上的链接或按钮进入。"),
    413: ("内容过大", "提交的内容超过上限，请缩短后重试。"),
    503: ("暂时无法办理", "系统正忙或正在维护，数据没有改变。请稍后重试。"),
}


class NotSignedIn(Exception):
    """The page is for staff, and nobody is logged in or the session has ended."""


class WindowStopped(Exception):
    """A window stops the page; the refusal travels inside."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal.code)
        self.refusal = refusal


class NotFound(Exception):
    """There is no such thing, or it belongs to another institution; the visitor is not told which."""


def to_sign_in(request: AnyRequest, _error: NotSignedIn) -> Redirect:
    """Send the visitor to the log-in and back afterwards."""
    here = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    back = here if request.method == "GET" else ""
    return Redirect(link("/institution/login", next=back), status_code=303)


def show_http_error(request: AnyRequest, error: HTTPException) -> Response[str]:
    """Show a refused request."""
    status = error.status_code if error.status_code in _PAGES else 400 if error.status_code < 500 else 503
    response = error_page(request, status)
    if error.status_code == 405 and error.headers:
        response.headers.update(error.headers)
    return response


def show_not_found(request: AnyRequest, _error: NotFound) -> Response[str]:
    """Show that there is nothing here for this visitor."""
    return error_page(request, 404)


def show_stopped(request: AnyRequest, error: WindowStopped) -> Response[str]:
    """Show what a window stops, until when, what to do meanwhile and whom to call."""
    return page(
        request, "error.html", title="系统切换暂停办理", status=423, code=423, trace="", text=error.refusal.sentence(),
    )


def show_unavailable(request: AnyRequest, error: Exception) -> Response[str]:
    """Show that the platform has no answer in time."""
    _LOG.warning("page %s unavailable: %r", request.url.path, error)
    response = error_page(request, 503)
    response.headers["retry-after"] = "10"
    return response


def show_too_slow(request: AnyRequest, error: Exception) -> Response[str]:
    """Show that a search took longer than one may, and how to ask for less."""
    _LOG.warning("page %s took too long: %r", request.url.path, error)
    return page(
        request, "error.html", title="查询用时过长", status=503, code=503, trace="",
        text="范围太大，没有在规定时间内查完。请缩小日期范围，或填写一个编号后再查。",
    )


def show_defect(request: AnyRequest, error: Exception) -> Response[str]:
    """Log a fault of ours with its trace, and show the visitor a number to ask by."""
    trace = secrets.token_hex(6)
    _LOG.error("page %s failed, trace %s", request.url.path, trace, exc_info=error)
    return error_page(request, 503, trace=trace)


def error_page(request: AnyRequest, status: int, *, trace: str = "") -> Response[str]:
    """Return the page of an error."""
    title, text = _PAGES[status]
    return page(request, "error.html", title=title, status=status, text=text, code=status, trace=trace)


HANDLERS: dict[Any, Any] = {
    NotSignedIn: to_sign_in,
    NotFound: show_not_found,
    WindowStopped: show_stopped,
    HTTPException: show_http_error,
    Unavailable: show_unavailable,
    OSError: show_unavailable,
    asyncpg.QueryCanceledError: show_too_slow,
    asyncpg.OperatorInterventionError: show_unavailable,
    asyncpg.LockNotAvailableError: show_unavailable,
    asyncpg.PostgresConnectionError: show_unavailable,
    asyncpg.InterfaceError: show_unavailable,
    Exception: show_defect,
}
