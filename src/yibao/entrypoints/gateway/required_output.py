"""Replies that give back what institutions sent: a text their table requires is empty, never null, where none was sent."""

from __future__ import annotations

from typing import Any, TypeVar

from yibao.entrypoints.gateway.interface import Node, load

Content = TypeVar("Content", dict[str, Any], list[dict[str, Any]])


def with_required(infno: str, output: Content) -> Content:
    """Return the output of a transaction with "" in every text that its table requires and that is null or missing.

    The output is changed in place. Numbers and days stay as they are: there is no empty one of them.
    """
    node = load().transactions[infno].output
    if node is None:
        return output
    if isinstance(output, list):
        node = next((child for child in node.children if not child.name), node)
    _fill(node, output)
    return output


def _fill(node: Node, content: Any) -> None:
    if isinstance(content, list):
        for row in content:
            _fill(node, row)
        return
    if not isinstance(content, dict):
        return
    for field in node.fields:
        if field.required and field.type == "string" and content.get(field.name) is None:
            content[field.name] = ""
    for child in node.children:
        _fill(child, content.get(child.name))
