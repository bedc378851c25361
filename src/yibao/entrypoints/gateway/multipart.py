"""Reads ``multipart/form-data``: the envelope in the text part ``jsonStr``, a file in a binary part."""

from __future__ import annotations

import re

import msgspec

from yibao.entrypoints.gateway.decode import Malformed
from yibao.kernel.refusal import Refusal, refuse

_BOUNDARY = re.compile(r'boundary="?([^";,]{1,70})"?', re.IGNORECASE)
_NAME = re.compile(r'\bname="([^"]*)"')
_FILENAME = re.compile(r'\bfilename="([^"]*)"')
ENVELOPE_PART = "jsonStr"


class Part(msgspec.Struct, frozen=True):
    """One part of a form."""

    name: str
    filename: str | None
    content: bytes


class Form(msgspec.Struct, frozen=True):
    """What a form upload holds: the envelope's bytes and the file, if one came."""

    envelope: bytes
    file: Part | None


def _refusal(reason: str) -> Refusal:
    return refuse(
        "FORM_UNREADABLE", reason, field=ENVELOPE_PART,
        remedy="请用文本部分jsonStr携带报文、二进制部分file携带文件",
    )


def parts(content_type: str, body: bytes) -> list[Part]:
    """Return the parts of a form.

    Raises:
        Malformed: no boundary, or a part without a name.
    """
    found = _BOUNDARY.search(content_type)
    if found is None:
        raise Malformed(_refusal("multipart请求缺少boundary"))
    sections = (b"\r\n" + body).split(b"\r\n--" + found[1].encode("latin-1"))
    result: list[Part] = []
    for section in sections[1:]:
        if section.startswith(b"--"):
            return result
        head, separator, content = section.partition(b"\r\n\r\n")
        name = _NAME.search(head.decode("utf-8", "replace"))
        if not separator or name is None:
            raise Malformed(_refusal("multipart请求的某一部分没有名称"))
        filename = _FILENAME.search(head.decode("utf-8", "replace"))
        result.append(Part(name[1], filename[1] if filename else None, content))
    raise Malformed(_refusal("multipart请求不完整"))


def read_form(content_type: str, body: bytes) -> Form:
    """Return the envelope and the file of an upload.

    Raises:
        Malformed: it is no form, or has no envelope.
    """
    found = parts(content_type, body)
    envelope = next((part for part in found if part.name.lower() == ENVELOPE_PART.lower()), None)
    if envelope is None:
        raise Malformed(_refusal("multipart请求缺少jsonStr部分"))
    file = next((part for part in found if part is not envelope and (part.filename is not None or part.name == "file")), None)
    return Form(envelope.content, file)
