"""Log in and out."""

from __future__ import annotations

import secrets

from litestar import Response, get, post
from litestar.response import Redirect

from yibao.domains.access.rules import ABSOLUTE
from yibao.entrypoints.portals.institution.session import services_of, staff_of
from yibao.entrypoints.portals.look.errors import NotSignedIn
from yibao.entrypoints.portals.look.forms import SESSION_COOKIE, AnyRequest, clean, local_path, read_form
from yibao.entrypoints.portals.look.rendering import page, private_cookie
from yibao.kernel.refusal import Refusal
from yibao.usecases.access.sign_in_staff import sign_in_staff
from yibao.usecases.access.sign_out_staff import sign_out_staff

START = "/institution/messages"


@get("/institution/login")
async def show_sign_in(request: AnyRequest) -> Response[str] | Redirect:
    """Show the log-in, or go on for who is logged in already."""
    try:
        await staff_of(request)
    except NotSignedIn:
        return _form(request, after=clean(request.query_params.get("next", "")))
    return Redirect(START, status_code=303)


@post("/institution/login", status_code=303)
async def sign_in(request: AnyRequest) -> Response[str] | Redirect:
    """Take the log-in; a right one gets a new session id, whatever the browser had."""
    services = services_of(request)
    fields = await read_form(request)
    login, token = fields.get("login", ""), secrets.token_urlsafe(32)
    # The password itself is not cleaned: blanks may be part of it.
    password = str((await request.form()).get("password", ""))
    result = await sign_in_staff(
        services.database, login=login, password=password, token=token,
        replaced=request.cookies.get(SESSION_COOKIE, ""), regions=services.region_codes,
        now=services.clock.now(), ids=services.ids,
    )
    if isinstance(result, Refusal):
        return _form(request, after=fields.get("next", ""), login=login, refusal=result, status=401)
    target = local_path(fields.get("next", ""), below="/institution/")
    response = Redirect(START if target == "/institution/" else target, status_code=303)
    response.cookies.append(
        private_cookie(services, SESSION_COOKIE, token, max_age_s=int(ABSOLUTE.total_seconds()))
    )
    return response


@post("/institution/logout", status_code=303)
async def sign_out(request: AnyRequest) -> Redirect:
    """End the session, here and in the browser."""
    services = services_of(request)
    staff = await staff_of(request)
    await read_form(request)
    await sign_out_staff(
        services.database, session=staff, token=request.cookies[SESSION_COOKIE], now=services.clock.now(),
        ids=services.ids,
    )
    response = Redirect("/institution/login", status_code=303, headers={"clear-site-data": '"cache"'})
    response.cookies.append(private_cookie(services, SESSION_COOKIE, "", max_age_s=0))
    return response


def _form(
    request: AnyRequest, *, after: str, login: str = "", refusal: Refusal | None = None, status: int = 200
) -> Response[str]:
    return page(
        request, "sign_in.html", title="机构登录", status=status, active="login",
        after=local_path(after, below="/institution/"), login=login, refusal=refusal,
    )


HANDLERS = [show_sign_in, sign_in, sign_out]
