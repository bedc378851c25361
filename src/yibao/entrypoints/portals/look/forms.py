"""A form is taken only from a page that we gave to the same browser."""

from __future__ import annotations

import hmac
import secrets
from typing import Any

from litestar import Request
from litestar.exceptions import PermissionDeniedException

AnyRequest = Request[Any, Any, Any]

FIELD = "form_token"
SESSION_COOKIE = "yibao_session"
BROWSER_COOKIE = "yibao_browser"

_VALUE_MAX = 200


def secret_of(request: AnyRequest) -> str:
    """Return the browser's secret that its forms are bound to: the session, before log-in a cookie of its own."""
    return request.cookies.get(SESSION_COOKIE) or request.cookies.get(BROWSER_COOKIE) or ""


def make_token(secret: str) -> str:
    """Return a fresh form token; it differs each time, so that compression betrays nothing of it."""
    nonce = secrets.token_hex(8)
    return f"{nonce}.{_seal(secret, nonce)}"


def is_token(secret: str, token: str) -> bool:
    """Say whether a token was made for this secret."""
    nonce, _, seal = token.partition(".")
    return bool(secret and seal) and hmac.compare_digest(_seal(secret, nonce).encode(), seal.encode())


async def read_form(request: AnyRequest) -> dict[str, str]:
    """Return the fields of a form, stripped of controls and blanks.

    Raises:
        PermissionDeniedException: the form was not ours, or came from another site.
    """
    fields = {key: clean(value) for key, value in (await request.form()).items() if isinstance(value, str)}
    if request.headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
        raise PermissionDeniedException
    if not is_token(secret_of(request), fields.get(FIELD, "")):
        raise PermissionDeniedException
    return fields


def clean(text: str) -> str:
    """Return typed text without characters that nobody types, at a sane length."""
    return "".join(c for c in text if c.isprintable())[:_VALUE_MAX].strip()


def local_path(path: str, *, below: str = "/") -> str:
    """Return ``path`` if it leads back into our own pages below ``below``, else ``below``."""
    is_ours = path.startswith(below) and not path.startswith("//") and "\\" not in path and path.isprintable()
    return path if is_ours else below


def _seal(secret: str, nonce: str) -> str:
    return hmac.new(secret.encode(), f"form {nonce}".encode(), "sha256").hexdigest()
