"""Style, script and mark, served under a name that changes with their content, so browsers keep them for good."""

from __future__ import annotations

from importlib import resources

from litestar import Response, get
from litestar.exceptions import NotFoundException
from litestar.params import FromPath

from yibao.infra.digest import sm3

_TYPES = {"yibao.css": "text/css", "yibao.js": "text/javascript", "mark.svg": "image/svg+xml"}
_CONTENT = {name: resources.files(__package__).joinpath("assets", name).read_bytes() for name in _TYPES}
_VERSION = sm3(b"".join(_CONTENT.values())).hex()[:12]


def url_of(name: str) -> str:
    """Return the path of an asset, its version included."""
    assert name in _TYPES, f"no asset {name}"
    return f"/assets/{_VERSION}/{name}"


@get("/assets/{version:str}/{name:str}", sync_to_thread=False)
def send_asset(version: FromPath[str], name: FromPath[str]) -> Response[bytes]:
    """Send one asset; an old version gets today's content, but not for good."""
    if name not in _CONTENT:
        raise NotFoundException
    kept = "public, max-age=31536000, immutable" if version == _VERSION else "no-cache"
    return Response(_CONTENT[name], media_type=f"{_TYPES[name]}; charset=utf-8", headers={"cache-control": kept})


@get("/favicon.ico", sync_to_thread=False)
def send_icon() -> Response[bytes]:
    """Send the mark where browsers look for it unasked."""
    return Response(
        _CONTENT["mark.svg"], media_type="image/svg+xml", headers={"cache-control": "public, max-age=86400"}
    )
