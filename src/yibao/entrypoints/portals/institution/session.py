"""Who is asking: every page for staff begins here."""

from __future__ import annotations

from yibao.domains.access.model import StaffSession
from yibao.entrypoints.portals.look.errors import NotSignedIn, WindowStopped
from yibao.entrypoints.portals.look.forms import SESSION_COOKIE, AnyRequest
from yibao.entrypoints.portals.services import PortalServices
from yibao.usecases.access.resume_session import resume_session
from yibao.usecases.windows.business_of import asked_by_page
from yibao.usecases.windows.snapshot import refuse_undated

TOKEN_MAX = 100


def services_of(request: AnyRequest) -> PortalServices:
    """Return the means of the pages."""
    services: PortalServices = request.app.state.services
    return services


async def staff_of(request: AnyRequest) -> StaffSession:
    """Return the member of staff who asks.

    Raises:
        NotSignedIn: nobody is logged in, or the session has ended.
        WindowStopped: a window stops the page in the institution's region.
    """
    token = request.cookies.get(SESSION_COOKIE, "")
    if not token or len(token) > TOKEN_MAX or not token.isascii():
        raise NotSignedIn
    services = services_of(request)
    session = await resume_session(
        services.database, token=token, regions=services.region_codes, now=services.clock.now()
    )
    if session is None:
        raise NotSignedIn
    await _pass_window(services, request.url.path, session)
    return session


async def _pass_window(services: PortalServices, path: str, staff: StaffSession) -> None:
    await services.gate.fresh()
    asked = asked_by_page(path, admdvs=staff.admdvs) if services.gate.plans_of(staff.admdvs) else None
    if asked is None:
        return
    judged = services.gate.ask(asked, services.clock.now())
    if judged.refusal is not None or judged.snapshot_at is not None:
        raise WindowStopped(judged.refusal or refuse_undated(judged))
