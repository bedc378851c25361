"""The API as one Litestar app that the server mounts beside the gateway and the pages."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
from litestar import Litestar, Request, Response, route
from litestar.handlers import HTTPRouteHandler

from yibao.entrypoints.api.answering import answer
from yibao.entrypoints.api.authority import Authority
from yibao.entrypoints.api.openapi import describe, page_of
from yibao.entrypoints.api.problems import HANDLERS
from yibao.entrypoints.api.routing import Route
from yibao.entrypoints.api.services import ApiServices
from yibao.entrypoints.api.table import routes

SCHEMA_PATH = "/api/schema"
DOCS_PATH = "/api/docs"


def create_api(services: ApiServices) -> Litestar:
    """Return the API; it opens and closes nothing, the services are the caller's."""
    authority = Authority(services)
    operations = {r.operation: r for r in routes()}
    handlers = [_handler(r, authority=authority, services=services, operations=operations) for r in routes()]
    return Litestar(
        route_handlers=[*handlers, *_description()],
        exception_handlers=HANDLERS,
        request_max_body_size=None,  # each operation reads its own body up to its own limit
        openapi_config=None,
        logging_config=None,  # the process's logging is not ours to set up
    )


def _handler(
    r: Route, *, authority: Authority, services: ApiServices, operations: Mapping[str, Route]
) -> HTTPRouteHandler:
    path = r.path
    for name in r.in_path:
        path = path.replace(f"{{{name}}}", f"{{{name}:str}}")

    @route(path, http_method=[r.method], status_code=r.status, name=r.operation)  # type: ignore[list-item]
    async def handle(request: Request[Any, Any, Any]) -> Response[bytes]:
        """Answer the operation."""
        return await answer(r, request, authority=authority, services=services, operations=operations)

    return handle


def _description() -> list[HTTPRouteHandler]:
    document = describe(routes())
    text, page = msgspec.json.encode(document), page_of(document)

    @route(SCHEMA_PATH, http_method=["GET"])
    async def show_schema() -> Response[bytes]:
        """Answer the description of all operations."""
        return Response(text, media_type="application/json")

    @route(DOCS_PATH, http_method=["GET"])
    async def show_docs() -> Response[str]:
        """Show the description to people."""
        return Response(page, media_type="text/html; charset=utf-8")

    return [show_schema, show_docs]
