"""Pages for everybody: front page, component sheet, the switch to large type, and health."""

from __future__ import annotations

import asyncpg
from litestar import MediaType, Response, get
from litestar.response import Redirect

from yibao.domains.access.model import StaffSession
from yibao.entrypoints.portals.institution.session import services_of, staff_of
from yibao.entrypoints.portals.look.errors import NotSignedIn
from yibao.entrypoints.portals.look.forms import AnyRequest, local_path
from yibao.entrypoints.portals.look.rendering import ELDER_COOKIE, page, private_cookie
from yibao.infra.database import Unavailable

_YEAR_S = 365 * 24 * 3600


@get("/")
async def show_front(request: AnyRequest) -> Response[str]:
    """Show what this is and where to go."""
    return page(request, "front.html", title="首页", active="front", staff=await _visitor(request))


@get("/ui")
async def show_components(request: AnyRequest) -> Response[str]:
    """Show every component in every state."""
    return page(request, "components.html", title="界面组件", active="ui", staff=await _visitor(request))


@get("/mode", sync_to_thread=False)
def set_mode(request: AnyRequest) -> Redirect:
    """Switch large type on or off and go back."""
    response = Redirect(local_path(request.query_params.get("back", "/")), status_code=303)
    value = "1" if request.query_params.get("elder") == "1" else "0"
    response.cookies.append(private_cookie(services_of(request), ELDER_COOKIE, value, max_age_s=_YEAR_S))
    return response


@get("/livez", media_type=MediaType.TEXT, sync_to_thread=False)
def is_live() -> str:
    """Say that the process answers."""
    return "ok"


@get("/readyz", media_type=MediaType.TEXT)
async def is_ready(request: AnyRequest) -> Response[str]:
    """Say whether the database answers too."""
    try:
        await services_of(request).database.fetch("select 1")
    except (Unavailable, asyncpg.PostgresError, asyncpg.InterfaceError, OSError):
        return Response("database does not answer", status_code=503, media_type=MediaType.TEXT)
    return Response("ok", media_type=MediaType.TEXT)


async def _visitor(request: AnyRequest) -> StaffSession | None:
    try:
        return await staff_of(request)
    except (NotSignedIn, Unavailable):
        return None


HANDLERS = [show_front, show_components, set_mode, is_live, is_ready]
