"""The API's description (OpenAPI 3.1), made from the table of operations, and a page that shows it.

The schemas are those the bodies are decoded with, so that the description cannot say other than what is done. Links say
which operations understand a number that an answer holds.
"""

from __future__ import annotations

import html
import re
from collections.abc import Sequence
from typing import Any

import msgspec

from yibao import __version__
from yibao.domains.access.agents_rules import ROLES
from yibao.domains.access.verbs import Verb, verbs
from yibao.entrypoints.api.answering import KEY_HEADER, KEY_PATTERN, PROPOSED
from yibao.entrypoints.api.problems import MEDIA_TYPE, TITLES, Problem
from yibao.entrypoints.api.routing import JSON, Route
from yibao.entrypoints.api.values import TEXT_PATTERN, WHOLE_MAX
from yibao.usecases.access.keep_proposal import Proposed

_REF = "#/components/schemas/{name}"
_ALWAYS = (400, 401, 403, 404, 422, 429, 503)


def describe(routes: Sequence[Route], *, server: str = "") -> dict[str, Any]:
    """Return the description of all operations as JSON values."""
    types = [Problem, Proposed]
    for route in routes:
        types += [route.parameters, *(t for t in (route.body, route.answer) if t not in (None, bytes))]
    schemas, components = msgspec.json.schema_components(types, ref_template=_REF)
    by_type = dict(zip(map(repr, types), schemas, strict=True))
    for schema in components.values():
        _bound(schema)
    paths: dict[str, Any] = {}
    for route in routes:
        paths.setdefault(route.path, {})[route.method.lower()] = _operation(route, by_type, components, routes)
    used = {name: c for name, c in components.items() if name not in {r.operation for r in routes}}
    return {
        "openapi": "3.1.0",
        "info": {"title": "医保核心业务接口", "version": __version__, "description": _ABOUT},
        "servers": [{"url": server or "/"}],
        "security": [{"key": []}],
        "tags": [{"name": area} for area in dict.fromkeys(r.area for r in routes)],
        "paths": paths,
        "components": {
            "schemas": used, "securitySchemes": {"key": {"type": "http", "scheme": "bearer"}},
        },
    }


_ABOUT = (
    "经办机构的 REST 接口。金额以分为单位的整数，比例以万分之一为单位的整数，日期为北京时间，期间左闭右开。"
    "改变数据的请求须带 Idempotency-Key：同一个值、同样的内容得到当初的答复。"
    "拒绝的答复是 application/problem+json，列出全部原因。"
    f"岗位：{'、'.join(f'{title}（{role}）' for role, title in ROLES.items())}。"
)


def _operation(
    route: Route, types: dict[str, Any], components: dict[str, Any], routes: Sequence[Route]
) -> dict[str, Any]:
    verb = verbs().get(route.verb)
    found: dict[str, Any] = {
        "operationId": route.operation, "tags": [route.area],
        "summary": verbs()[route.verb or route.operation].title, "description": _described(route, verb),
        "parameters": _parameters(route, components), "responses": _responses(route, types, components, routes, verb),
    }
    if verb is None:
        found["security"] = []
    else:
        found |= {"x-verb": verb.verb, "x-roles": list(verb.roles), "x-object": verb.object, "x-four-eyes": verb.four_eyes}
    if route.body is bytes:
        found["requestBody"] = {"required": True, "content": {route.takes: {"schema": {}}}}
    elif route.body is not None:
        found["requestBody"] = {"required": True, "content": {JSON: {"schema": types[repr(route.body)]}}}
    return found


def _described(route: Route, verb: Verb | None) -> str:
    if verb is None:
        return route.description
    who = f"岗位：{'、'.join(ROLES[r] for r in verb.roles)}。"
    if verb.checker:
        who += f"须由另一人（{ROLES[verb.checker]}）复核后才执行，先得到一件待复核事项。"
    return f"{route.description}\n\n{who}"


def _parameters(route: Route, components: dict[str, Any]) -> list[dict[str, Any]]:
    shape = components[route.operation]
    found: list[dict[str, Any]] = []
    for name, schema in shape.get("properties", {}).items():
        in_path = name in route.in_path
        plain = {k: v for k, v in schema.items() if k != "description"}
        found.append({
            "name": name, "in": "path" if in_path else "query", "required": in_path or name in shape.get("required", ()),
            "description": schema.get("description", ""), "schema": _without_null(plain),
        })
    if route.changes:
        found.append({
            "name": "Idempotency-Key", "in": "header", "required": True, "schema": {"type": "string", "pattern": KEY_PATTERN},
            "description": f"{KEY_HEADER}：每件事一个新的值，重试时用同一个值",
        })
    return found


def _without_null(schema: dict[str, Any]) -> dict[str, Any]:
    """Return the schema of a parameter: in a query there is no null, only absence."""
    kinds = [s for s in schema.get("anyOf", ()) if s.get("type") != "null"]
    rest = {k: v for k, v in schema.items() if k not in ("anyOf", "default")}
    if "anyOf" in schema:
        rest |= kinds[0] if len(kinds) == 1 else {"anyOf": kinds}
    if schema.get("default") is not None:
        rest["default"] = schema["default"]
    return rest


def _responses(
    route: Route, types: dict[str, Any], components: dict[str, Any], routes: Sequence[Route], verb: Verb | None
) -> dict[str, Any]:
    is_proposed = verb is not None and bool(verb.checker)
    answer = Proposed if is_proposed else route.answer
    status = PROPOSED if is_proposed else route.status
    schema = {} if answer is bytes else types[repr(answer)]
    fine: dict[str, Any] = {
        "description": "已留待复核" if is_proposed else "办理结果",
        "content": {JSON if is_proposed else route.produces: {"schema": schema}},
    }
    links = _links(schema, components, routes, route)
    if links:
        fine["links"] = links
    found = {str(status): fine}
    if route.waits is not None and not is_proposed:
        found[str(PROPOSED)] = {**fine, "description": "没有办理：身份存疑，已转待核实事项"}
    more = (409,) * route.changes + (413, 415) * (route.body is not None)
    for code in sorted({*_ALWAYS, *more}):
        if verb is None and code in (401, 403):
            continue
        found[str(code)] = {
            "description": TITLES[code], "content": {MEDIA_TYPE: {"schema": types[repr(Problem)]}},
        }
    return found


def _links(
    schema: dict[str, Any], components: dict[str, Any], routes: Sequence[Route], source: Route
) -> dict[str, Any]:
    """Return a link to every operation whose path takes a number that the answer holds at its top or in its first row."""
    places = _places(schema, components)
    return {
        f"{target.operation}By{''.join(part.title() for part in target.in_path)}": {
            "operationId": target.operation,
            "parameters": {name: f"$response.body#{places[name]}" for name in target.in_path},
        }
        for target in routes
        if target.in_path and target is not source and all(name in places for name in target.in_path)
    }


def _places(schema: dict[str, Any], components: dict[str, Any]) -> dict[str, str]:
    shape = _resolved(schema, components)
    found = {name: f"/{name}" for name, s in shape.get("properties", {}).items() if s.get("type") == "string"}
    for name, part in shape.get("properties", {}).items():
        if part.get("type") == "array" and isinstance(part.get("items"), dict):
            row = _resolved(part["items"], components)
            for inner, s in row.get("properties", {}).items():
                if s.get("type") == "string":
                    found.setdefault(inner, f"/{name}/0/{inner}")
    return found


def _resolved(schema: dict[str, Any], components: dict[str, Any]) -> dict[str, Any]:
    ref = schema.get("$ref")
    found: dict[str, Any] = components[ref.rsplit("/", 1)[-1]] if ref else schema
    return found


def _bound(schema: Any) -> None:
    """Say of every text and whole number what is checked of it beside its type."""
    if isinstance(schema, list):
        for part in schema:
            _bound(part)
    if not isinstance(schema, dict):
        return
    kind = schema.get("type")
    if kind == "string" and not {"pattern", "format", "enum"} & schema.keys():
        schema["pattern"] = TEXT_PATTERN
    elif kind == "integer":
        schema.setdefault("minimum", -WHOLE_MAX)
        schema.setdefault("maximum", WHOLE_MAX)
    for key, part in schema.items():
        if key in ("properties", "$defs"):
            for inner in part.values():
                _bound(inner)
        elif key in ("items", "anyOf", "prefixItems", "additionalProperties"):
            _bound(part)


def page_of(document: dict[str, Any]) -> str:
    """Return the description as one page of HTML that needs no other file."""
    parts = []
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            parameters = "".join(
                f"<li><code>{html.escape(p['name'])}</code>（{_PLACES[p['in']]}{'，必填' if p['required'] else ''}）"
                f"{html.escape(p['description'])}</li>"
                for p in operation["parameters"]
            )
            # The page is for Chinese readers: the title says what, the last paragraph who; the sentence between is code's.
            text = html.escape(operation["description"].rpartition("\n\n")[2] if "\n\n" in operation["description"] else "")
            parts.append(
                f"<section id='{operation['operationId']}'><h3>{html.escape(operation['summary'])}</h3>"
                f"<p><code>{method.upper()} {html.escape(path)}</code></p><p>{text}</p><ul>{parameters}</ul></section>"
            )
    info = document["info"]
    return _PAGE.format(
        title=html.escape(info["title"]), about=html.escape(info["description"]), version=html.escape(info["version"]),
        count=len(parts), parts="".join(parts),
    )


_PLACES = {"path": "路径", "query": "查询", "header": "请求头"}
_PAGE = re.sub(r"\n\s*", "", """<!doctype html><html lang="zh-CN"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1"><title>{title}</title><style>
body{{font:16px/1.7 system-ui,sans-serif;max-width:56rem;margin:2rem auto;padding:0 1rem;color:#1a2733;background:#fff}}
h1{{font-size:1.6rem}}h3{{font-size:1.1rem;margin:1.6rem 0 .2rem}}section{{border-top:1px solid #d5dde5}}
p,ul{{margin:.3rem 0}}code{{background:#f0f4f7;padding:.1rem .3rem;border-radius:.2rem}}</style></head><body>
<main><h1>{title} {version}</h1><p>{about}</p><p>共 {count} 项。机器可读的说明：<a href="/api/schema">/api/schema</a></p>
{parts}</main></body></html>""")
