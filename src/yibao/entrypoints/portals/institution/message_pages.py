"""The message inspector: find any message of the own institution, and look into it."""

from __future__ import annotations

from datetime import date, timedelta

from litestar import Response, get, post
from litestar.response import Redirect

from yibao.entrypoints.portals.institution.search_form import SIZES, SearchForm, read_search
from yibao.entrypoints.portals.institution.session import services_of, staff_of
from yibao.entrypoints.portals.look.errors import NotFound
from yibao.entrypoints.portals.look.forms import AnyRequest, clean, read_form
from yibao.entrypoints.portals.look.rendering import link, page
from yibao.entrypoints.portals.services import PortalServices
from yibao.kernel.business_time import business_date
from yibao.kernel.identity_number import is_valid
from yibao.usecases.inspection.entries import DEED, LOG
from yibao.usecases.inspection.find_messages import find_messages, resolve
from yibao.usecases.inspection.show_message import show_message

MESSAGES = "/institution/messages"
MESSAGE = "/institution/messages/view"


@get(["/institution", MESSAGES])
async def list_messages(request: AnyRequest) -> Response[str] | Redirect:
    """List the messages that match, newest first, with sums."""
    staff = await staff_of(request)
    services = services_of(request)
    today = business_date(services.clock.now())
    form = read_search(request.query_params, today=today)
    if is_valid(form.search.text):
        return Redirect(
            await without_certificate(services, form, sender=staff.fixmedins_code, admdvs=staff.admdvs, path=MESSAGES),
            status_code=303,
        )
    async with services.database.transaction(regions=(staff.admdvs,)) as tx:
        found = await find_messages(
            tx, sender=staff.fixmedins_code, search=form.search, cert_types=services.names.codes("psn_cert_type")
        )
    return page(
        request, "messages.html", title="报文查询", staff=staff, active="messages", form=form, found=found,
        ranges=quick_ranges(today), path=MESSAGES, sizes=SIZES, names=services.names,
        nobody="nobody" in request.query_params,
    )


@post(MESSAGES, status_code=303)
async def search_messages(request: AnyRequest) -> Redirect:
    """Take the search form and lead to its result; a certificate number never gets into an address."""
    staff = await staff_of(request)
    services = services_of(request)
    form = read_search(await read_form(request) | {"all": "1"}, today=business_date(services.clock.now()))
    target = await without_certificate(
        services, form, sender=staff.fixmedins_code, admdvs=staff.admdvs, path=MESSAGES
    )
    return Redirect(target, status_code=303)


async def without_certificate(
    services: PortalServices, form: SearchForm, *, sender: str, admdvs: str, path: str
) -> str:
    """Return the link to a search in which a certificate number is replaced by its person's number."""
    text = form.search.text
    if not text:
        return form.link(path)
    async with services.database.transaction(regions=(admdvs,)) as tx:
        known = await resolve(tx, sender=sender, text=text, cert_types=services.names.codes("psn_cert_type"))
    if known.persons:
        return form.link(path, text=known.persons[0])
    if is_valid(text):
        return f"{form.link(path, text='')}&nobody=1"
    return form.link(path)


@get(MESSAGE)
async def view_message(request: AnyRequest) -> Response[str]:
    """Show one message: ``msgid`` names something committed, ``entry`` a row of the log."""
    staff = await staff_of(request)
    services = services_of(request)
    msgid, entry = clean(request.query_params.get("msgid", "")), clean(request.query_params.get("entry", ""))
    async with services.database.transaction(regions=(staff.admdvs,)) as tx:
        shown = await show_message(
            tx, sender=staff.fixmedins_code, source=DEED if msgid else LOG, ref=msgid or entry, names=services.names
        )
    if shown is None:
        raise NotFound
    return page(
        request, "message.html", title=f"报文 {shown.entry.infno}", staff=staff, active="messages", shown=shown,
        names=services.names,
    )


def quick_ranges(today: date) -> list[tuple[str, date | None, date | None]]:
    """Return the ranges that one click chooses: name, first and last day."""
    month = today.replace(day=1)
    last_month = (month - timedelta(days=1)).replace(day=1)
    return [
        ("今日", today, today),
        ("近7天", today - timedelta(days=6), today),
        ("本月", month, today),
        ("上月", last_month, month - timedelta(days=1)),
        ("本年", today.replace(month=1, day=1), today),
    ]


def entry_link(source: str, ref: str) -> str:
    """Return the link to a message."""
    return link(MESSAGE, msgid=ref) if source == DEED else link(MESSAGE, entry=ref)


HANDLERS = [list_messages, search_messages, view_message]
