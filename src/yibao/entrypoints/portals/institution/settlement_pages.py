"""Settlements of the own institution, and why each came out as it did."""

from __future__ import annotations

from litestar import Response, get, post
from litestar.params import FromPath
from litestar.response import Redirect

from yibao.entrypoints.portals.institution.message_pages import quick_ranges, without_certificate
from yibao.entrypoints.portals.institution.search_form import SIZES, read_search
from yibao.entrypoints.portals.institution.session import services_of, staff_of
from yibao.entrypoints.portals.look.errors import NotFound
from yibao.entrypoints.portals.look.forms import AnyRequest, clean, read_form
from yibao.entrypoints.portals.look.rendering import page
from yibao.kernel.business_time import business_date
from yibao.kernel.identity_number import is_valid
from yibao.kernel.refusal import Refusal
from yibao.usecases.inspection.find_settlements import KINDS, STATES, find_settlements
from yibao.usecases.inspection.show_settlement import show_settlement

SETTLEMENTS = "/institution/settlements"


@get(SETTLEMENTS)
async def list_settlements(request: AnyRequest) -> Response[str] | Redirect:
    """List the settlements that match, newest first, with sums."""
    staff = await staff_of(request)
    services = services_of(request)
    today = business_date(services.clock.now())
    form = read_search(request.query_params, today=today)
    if is_valid(form.search.text):
        return Redirect(
            await without_certificate(
                services, form, sender=staff.fixmedins_code, admdvs=staff.admdvs, path=SETTLEMENTS
            ),
            status_code=303,
        )
    async with services.database.transaction(regions=(staff.admdvs,)) as tx:
        found = await find_settlements(
            tx, institution=staff.fixmedins_code, search=form.search,
            cert_types=services.names.codes("psn_cert_type"),
        )
    return page(
        request, "settlements.html", title="结算单查询", staff=staff, active="settlements", form=form, found=found,
        ranges=quick_ranges(today), path=SETTLEMENTS, sizes=SIZES, names=services.names, kinds=KINDS, states=STATES,
        nobody="nobody" in request.query_params,
    )


@post(SETTLEMENTS, status_code=303)
async def search_settlements(request: AnyRequest) -> Redirect:
    """Take the search form and lead to its result."""
    staff = await staff_of(request)
    services = services_of(request)
    form = read_search(await read_form(request) | {"all": "1"}, today=business_date(services.clock.now()))
    target = await without_certificate(
        services, form, sender=staff.fixmedins_code, admdvs=staff.admdvs, path=SETTLEMENTS
    )
    return Redirect(target, status_code=303)


@get(SETTLEMENTS + "/{setl_id:str}")
async def view_settlement(request: AnyRequest, setl_id: FromPath[str]) -> Response[str]:
    """Show a settlement line by line and step by step."""
    staff = await staff_of(request)
    services = services_of(request)
    async with services.database.transaction(regions=(staff.admdvs,)) as tx:
        sheet = await show_settlement(
            tx, institution=staff.fixmedins_code, setl_id=clean(setl_id), names=services.names,
            policies=services.policies,
        )
        if sheet is None:
            raise NotFound
        explained = await services.explain(tx, sheet.head.setl_id)
    return page(
        request, "settlement.html", title="结算说明", staff=staff, active="settlements", sheet=sheet,
        steps=() if isinstance(explained, Refusal) else explained.steps,
        differences=() if isinstance(explained, Refusal) else explained.differences,
        unexplained=explained.sentence() if isinstance(explained, Refusal) else "",
        region=services.regions.get(sheet.head.admdvs, sheet.head.admdvs), kinds=KINDS, states=STATES,
    )


HANDLERS = [list_settlements, search_settlements, view_settlement]
