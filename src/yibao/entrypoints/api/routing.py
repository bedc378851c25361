"""How a route is written: a function of a call and its parameters, with the verb it needs.

``read`` answers a question (GET), ``ask`` a question with a body (POST that changes nothing), ``deed`` changes something
exactly once (POST under an ``Idempotency-Key``), ``public`` answers strangers. Parameters named in the path come from
there, ``data`` is the body, all others come from the query.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Awaitable, Callable
from types import UnionType
from typing import Annotated, Any, Union, get_args, get_origin, get_type_hints

import msgspec

from yibao.entrypoints.api.services import Call
from yibao.kernel.refusal import Refusal

PREFIX = "/api/v1"
BODY = "data"
JSON = "application/json"
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
PDF = "application/pdf"

Handler = Callable[..., Awaitable[Any]]
_IN_PATH = re.compile(r"\{(\w+)\}")


class Route(msgspec.Struct, frozen=True, kw_only=True):
    """One operation of the API.

    Attributes:
        operation: its name in the API's description: the function's name.
        path: with ``{names}``, below the prefix.
        verb: row of the table of verbs; ``""`` for strangers.
        changes: done exactly once, under an ``Idempotency-Key``.
        parameters: struct of the parameters of path and query.
        body: type of the body, None if there is none; ``bytes`` takes a file.
        answer: type of the answer; ``bytes`` sends a file of type ``produces``.
        kept: what is stored of the answer for a repeat, where it is not the answer itself (a secret shown once).
        waits: says of an answer that nothing was done yet, because somebody has to look into it first: status 202.
    """

    operation: str
    method: str
    path: str
    verb: str
    changes: bool
    status: int
    fn: Handler
    in_path: tuple[str, ...]
    parameters: type[msgspec.Struct]
    body: Any
    answer: Any
    produces: str
    takes: str
    kept: Callable[[Any], Any] | None
    waits: Callable[[Any], bool] | None
    description: str
    area: str


def read(path: str, *, verb: str, produces: str = JSON) -> Callable[[Handler], Route]:
    """Declare an operation that answers a question."""
    return lambda fn: _route(fn, method="GET", path=path, verb=verb, produces=produces)


def ask(path: str, *, verb: str, produces: str = JSON, takes: str = JSON) -> Callable[[Handler], Route]:
    """Declare an operation that answers a question put as a body; asked twice, it is answered twice."""
    return lambda fn: _route(fn, method="POST", path=path, verb=verb, produces=produces, takes=takes)


def deed(
    path: str, *, verb: str, status: int = 200, kept: Callable[[Any], Any] | None = None, takes: str = JSON,
    waits: Callable[[Any], bool] | None = None,
) -> Callable[[Handler], Route]:
    """Declare an operation that changes something; the same key and content get the stored answer again.

    Args:
        status: 200, or 201 where something new can be asked for afterwards.
        waits: which answers are given with 202: nothing was done, a case to work was opened.
    """
    return lambda fn: _route(
        fn, method="POST", path=path, verb=verb, changes=True, status=status, kept=kept, takes=takes, waits=waits
    )


def public(path: str, *, method: str = "GET", produces: str = JSON) -> Callable[[Handler], Route]:
    """Declare an operation for strangers: it sees all regions, so it must answer only what anybody may know."""
    return lambda fn: _route(fn, method=method, path=path, verb="", produces=produces)


def _route(
    fn: Handler, *, method: str, path: str, verb: str, changes: bool = False, status: int = 200, produces: str = JSON,
    takes: str = JSON, kept: Callable[[Any], Any] | None = None, waits: Callable[[Any], bool] | None = None,
) -> Route:
    hints = get_type_hints(fn, include_extras=True)
    signature = inspect.signature(fn)
    names = list(signature.parameters)
    if not names or hints.get(names[0]) is not Call:
        raise TypeError(f"{fn.__name__}: the first parameter is the call")
    in_path = tuple(_IN_PATH.findall(path))
    fields: list[tuple[str, Any] | tuple[str, Any, Any]] = []
    for name in names[1:]:
        default = signature.parameters[name].default
        if name != BODY:
            fields.append((name, hints[name]) if default is inspect.Parameter.empty else (name, hints[name], default))
    missing = set(in_path) - {f[0] for f in fields}
    if missing:
        raise TypeError(f"{fn.__name__}: {sorted(missing)} of the path are no parameters")
    assert fn.__doc__, f"{fn.__name__}: an operation says what it does"
    return Route(
        operation=fn.__name__, method=method, path=PREFIX + path, verb=verb, changes=changes, status=status, fn=fn,
        in_path=in_path,
        parameters=msgspec.defstruct(fn.__name__, fields, kw_only=True, frozen=True, forbid_unknown_fields=True),
        body=_strict(hints.get(BODY)), answer=_without_refusal(hints["return"]), produces=produces, takes=takes, kept=kept,
        waits=waits, description=inspect.cleandoc(fn.__doc__), area=fn.__module__.rsplit(".", 1)[-1],
    )


def _strict(body: Any) -> Any:
    """Return the type of a body that knows no other fields: what nobody reads must not be sent in good faith."""
    if not (isinstance(body, type) and issubclass(body, msgspec.Struct)) or body.__struct_config__.forbid_unknown_fields:
        return body
    config = body.__struct_config__
    strict = msgspec.defstruct(
        f"{body.__name__}Body", [], bases=(body,), frozen=bool(config.frozen), kw_only=True, forbid_unknown_fields=True,
        module=body.__module__,
    )
    strict.__doc__ = body.__doc__
    return strict


def _without_refusal(hint: Any) -> Any:
    """Return the type of an answer: a refusal becomes a problem, not an answer."""
    if get_origin(hint) not in (Union, UnionType):
        return hint
    kept = [part for part in get_args(hint) if part is not Refusal]
    return kept[0] if len(kept) == 1 else Union[tuple(kept)]  # noqa: UP007 - made at run time


def plain_type(hint: Any) -> Any:
    """Return a type without its annotations."""
    return get_args(hint)[0] if get_origin(hint) is Annotated else hint
