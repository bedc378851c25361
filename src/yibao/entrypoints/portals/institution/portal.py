"""The portal as one Litestar app that the server mounts beside the gateway."""

from __future__ import annotations

from litestar import Litestar
from litestar.config.compression import CompressionConfig
from litestar.datastructures import State

from yibao.entrypoints.portals.everybody import window_pages
from yibao.entrypoints.portals.institution import message_pages, public_pages, settlement_pages, sign_in_pages
from yibao.entrypoints.portals.look import assets, errors
from yibao.entrypoints.portals.services import PortalServices

FORM_BYTES_MAX = 64 * 1024


def create_portal(services: PortalServices) -> Litestar:
    """Return the portal; it opens and closes nothing, the services are the caller's."""
    return Litestar(
        route_handlers=[
            assets.send_asset, assets.send_icon,
            *public_pages.HANDLERS, *window_pages.HANDLERS,
            *sign_in_pages.HANDLERS, *message_pages.HANDLERS, *settlement_pages.HANDLERS,
        ],
        state=State({"services": services}, deep_copy=False),
        exception_handlers=errors.HANDLERS,
        compression_config=CompressionConfig(backend="gzip", minimum_size=600, gzip_compress_level=6),
        request_max_body_size=FORM_BYTES_MAX,
        openapi_config=None,
        logging_config=None,  # the process's logging is not ours to set up
    )
