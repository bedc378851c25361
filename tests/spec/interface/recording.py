"""A pytest plugin that keeps one exchange of each transaction, and the refusals it gave, while other tests run.

``python -m tests.spec.interface.write_examples`` uses it to renew ``src/yibao/data/interface/examples``.
"""

from __future__ import annotations

import json
import re
from datetime import date
from pathlib import Path
from typing import Any

from yibao.entrypoints.gateway import interface
from yibao.entrypoints.gateway.dispatch import Answer
from yibao.entrypoints.gateway.gateway import Gateway
from yibao.entrypoints.gateway.registry import offered
from yibao.kernel.identity_number import make
from yibao.kernel.refusal import Refusal

FOLDER = Path(__file__).parents[3] / "src/yibao/data/interface/examples"
_CHARACTERS_MAX = 7_000
_REFUSALS_MAX = 25
_IDENTITY_NUMBER = re.compile(r"(?<!\d)[1-8]\d{5}(?:19|20)\d{9}[\dX](?!\d)")
_NOBODY = make("370399", date(1980, 1, 1), 1)
"""Stands for every identity number: valid, and nobody's."""
_ORDINAL = re.compile(r"\[\d+\]")
_TABLE_RULES = ("FIELD_",)
"""Refusals by the field tables are said by the tables themselves."""

_exchanges: dict[str, tuple[int, dict[str, Any], dict[str, Any] | None]] = {}
_refusals: dict[str, dict[str, dict[str, str]]] = {}


def pytest_configure() -> None:
    """Look over the gateway's shoulder."""
    make_reply = Gateway._reply

    def reply(self: Gateway, work: Any, answer: Answer) -> Any:
        made = make_reply(self, work, answer)
        if work.message is not None and self._handlers is offered():
            _keep(work.message.infno, work.content or work.request.body, answer, made.body)
        return made

    Gateway._reply = reply  # type: ignore[method-assign]


def pytest_sessionfinish() -> None:
    """Write what was kept; a transaction that was not met keeps the example it has."""
    FOLDER.mkdir(exist_ok=True)
    for infno, (_richness, request, reply) in _exchanges.items():
        refusals = sorted(_refusals.get(infno, {}).values(), key=lambda r: r["code"])[:_REFUSALS_MAX]
        text = json.dumps({"request": request, "reply": reply, "refusals": refusals}, ensure_ascii=False, indent=1)
        (FOLDER / f"{infno}.json").write_text(_IDENTITY_NUMBER.sub(_NOBODY, text) + "\n", encoding="utf-8")


def _is_other_form(infno: str, asked: dict[str, Any]) -> bool:
    """Say whether a message is written in the older names of a transaction that has two forms."""
    forms = interface.load().transactions[infno].inputs
    content = asked.get("input") or asked.get("Input") or {}
    if len(forms) == 1 or not isinstance(content, dict):
        return False
    nodes = [content, *(node[0] if isinstance(node, list) and node else node for node in content.values())]
    sent = {name for node in nodes if isinstance(node, dict) for name in node}
    known = [{f.name for node in form.walk() for f in node.fields} & sent for form in forms]
    return len(known[0]) < max(map(len, known))


def _keep(infno: str, request: bytes, answer: Answer, reply: bytes) -> None:
    if isinstance(answer.reply, Refusal):
        for fault in answer.reply.faults:
            if not fault.code.startswith(_TABLE_RULES):
                kept = {"code": fault.code, "field": _ORDINAL.sub("[]", fault.field), "sentence": fault.reason,
                        "remedy": fault.remedy}
                _refusals.setdefault(infno, {}).setdefault(fault.code, kept)
        return
    try:
        asked = json.loads(request)
        told = json.loads(reply) if isinstance(answer.reply, bytes) else None
    except ValueError:
        return
    if _is_other_form(infno, asked):
        return
    size = len(request) + (len(reply) if told is not None else 0)
    # The richest exchange that a page still holds.
    richness = size if size <= _CHARACTERS_MAX else -size
    if infno not in _exchanges or richness > _exchanges[infno][0]:
        _exchanges[infno] = (richness, asked, told)
