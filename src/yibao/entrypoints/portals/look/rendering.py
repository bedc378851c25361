"""Templates become pages: one environment, strict about names, everything escaped."""

from __future__ import annotations

import secrets
from datetime import date, datetime
from functools import partial
from typing import Any
from urllib.parse import quote, urlencode

from jinja2 import Environment, PackageLoader, StrictUndefined
from litestar import Response
from litestar.datastructures import Cookie

from yibao.domains.access.model import StaffSession
from yibao.domains.access.rules import ends_at
from yibao.entrypoints.portals.look import assets, forms
from yibao.entrypoints.portals.look.forms import AnyRequest
from yibao.entrypoints.portals.services import PortalServices
from yibao.kernel.business_time import SHANGHAI
from yibao.kernel.identity_number import mask_name
from yibao.kernel.money import yuan_text
from yibao.policy.explain import is_weak
from yibao.policy.pipeline.wording import formula_of
from yibao.usecases.inspection.entries import OUTCOMES

ELDER_COOKIE = "yibao_elder"

_NO_STORE = {
    "cache-control": "no-store",
    "content-security-policy": (
        "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; form-action 'self'; "
        "base-uri 'none'; frame-ancestors 'none'"
    ),
    "x-content-type-options": "nosniff",
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=()",
}


def page(
    request: AnyRequest, template: str, *, title: str, status: int = 200, staff: StaffSession | None = None,
    active: str = "", **context: Any,
) -> Response[str]:
    """Return a page.

    Args:
        title: of the page, without the site's name.
        active: key of the entry of the navigation that this page belongs to.
    """
    services: PortalServices = request.app.state.services
    secret = forms.secret_of(request)
    cookies = []
    if not secret:
        secret = secrets.token_urlsafe(24)
        cookies.append(private_cookie(services, forms.BROWSER_COOKIE, secret))
    elder = request.cookies.get(ELDER_COOKIE) == "1"
    here = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    html = _ENVIRONMENT.get_template(template).render(
        context | {
            "title": title, "staff": staff, "active": active, "elder": elder, "services": services,
            "here": here, "form_token": partial(forms.make_token, secret),
            "session_seconds": int((ends_at(staff) - services.clock.now()).total_seconds()) if staff else 0,
            "session_until": ends_at(staff) if staff else None,
        }
    )
    return Response(
        html, status_code=status, media_type="text/html; charset=utf-8", headers=_NO_STORE, cookies=cookies
    )


def private_cookie(services: PortalServices, name: str, value: str, max_age_s: int | None = None) -> Cookie:
    """Return a cookie that scripts cannot read and other sites do not send."""
    return Cookie(
        key=name, value=value, path="/", httponly=True, samesite="lax", secure=services.has_tls, max_age=max_age_s
    )


def link(path: str, **query: Any) -> str:
    """Return a local link; empty values are left out."""
    given = {k.rstrip("_"): v for k, v in query.items() if v not in (None, "", 0)}
    return f"{quote(path)}?{urlencode(given)}" if given else quote(path)


def _yuan(fen: int) -> str:
    text = yuan_text(abs(fen))
    whole, cents = text.split(".")
    return f"{'−' if fen < 0 else ''}{int(whole):,}.{cents}"


def _instant(at: datetime, form: str = "%Y-%m-%d %H:%M:%S") -> str:
    return at.astimezone(SHANGHAI).strftime(form)


def _milliseconds(microseconds: int) -> str:
    whole, rest = divmod(max(microseconds, 0), 1000)
    return f"{whole:,}" if whole >= 100 else f"{whole}.{rest // 100}"


def _scaled(value: int, digits: int) -> str:
    whole, rest = divmod(abs(value), 10**digits)
    decimals = f"{rest:0{digits}d}".rstrip("0")
    return f"{'−' if value < 0 else ''}{whole}{'.' + decimals if decimals else ''}"


def _day(day: date) -> str:
    return day.isoformat()


_ENVIRONMENT = Environment(
    loader=PackageLoader("yibao.entrypoints.portals", "templates"), autoescape=True, undefined=StrictUndefined,
    trim_blocks=True, lstrip_blocks=True, auto_reload=False,
)
_ENVIRONMENT.filters |= {
    "yuan": _yuan, "instant": _instant, "milliseconds": _milliseconds, "scaled": _scaled, "day": _day,
    "mask_name": mask_name, "formula": formula_of,
}
_ENVIRONMENT.tests["weak"] = is_weak
_ENVIRONMENT.globals |= {"asset": assets.url_of, "link": link, "outcomes": OUTCOMES, "field": forms.FIELD}
