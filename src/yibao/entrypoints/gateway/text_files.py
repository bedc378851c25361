"""Uploaded and result files: a zip with one tab-separated text, columns in the order of the field tables.

What comes from outside is unpacked within bounds, whatever it says of its own size.
"""

from __future__ import annotations

import base64
import binascii
import io
import re
import zipfile
import zlib
from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Any

from yibao.entrypoints.gateway.interface import Field, load
from yibao.kernel.refusal import Fault, Refusal, refuse

UPLOAD_BYTES_MAX = 8 * 1024 * 1024
TEXT_BYTES_MAX = 32 * 1024 * 1024
_MB = 1024 * 1024
ROWS_MAX = 100_000
EMPTY = "null"

_FIELD = "fsUploadIn.in"
_ZIP_TIME = (1980, 1, 1, 0, 0, 0)
_ENTRIES_MAX = 20
_CHUNK = 256 * 1024
_NUMBER = re.compile(r"-?\d{1,14}(\.\d{1,6})?", re.ASCII)
_TEXT_TOO_LONG = f"解压后的文本超过上限{TEXT_BYTES_MAX // _MB}MB"
_AGAIN = "请上传只含一个TXT文件的zip，UTF-8编码，TAB分隔"


def upload_bytes(value: Any) -> bytes | Refusal:
    """Return an uploaded file from the form's part, from Base64 text or from a list of byte values."""
    try:
        if isinstance(value, str):
            value = base64.b64decode("".join(value.split()), validate=True)
        content = bytes(value)
    except (ValueError, TypeError, binascii.Error):
        return refuse("FILE_UNREADABLE", "文件数据无法识别", field=_FIELD, remedy="请用multipart的file部分上传，或以Base64填写")
    if len(content) > UPLOAD_BYTES_MAX:
        return _too_large(f"文件超过上限{UPLOAD_BYTES_MAX // _MB}MB")
    return content


def unpack_text(content: bytes) -> str | Refusal:
    """Return the text of an uploaded zip, or of a plain text file.

    Refused: no zip and no text, more than one text inside, encrypted, damaged, another encoding than UTF-8, or more
    text than ``TEXT_BYTES_MAX`` however small it is packed.
    """
    raw: bytes | Refusal = content
    if content[:2] == b"PK":
        try:
            raw = _only_text(content)
        except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, OSError, ValueError) as error:
            return _no_file(f"压缩文件已损坏或格式不受支持（{type(error).__name__}）")
        except RuntimeError:
            return _no_file("压缩文件已加密")
    return raw if isinstance(raw, Refusal) else _as_text(raw)


def _only_text(content: bytes) -> bytes | Refusal:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        entries = [e for e in archive.infolist() if not e.is_dir() and not e.filename.startswith("__MACOSX/")]
        if len(entries) != 1:
            names = "、".join(e.filename[:40] for e in entries[:_ENTRIES_MAX])
            return _no_file(f"压缩包内有{len(entries)}个文件，应为1个", received=names)
        if entries[0].file_size > TEXT_BYTES_MAX:
            return _too_large(_TEXT_TOO_LONG)
        parts, size = [], 0
        with archive.open(entries[0]) as source:
            # The size an entry claims may be a lie: only what really comes out counts.
            while part := source.read(_CHUNK):
                size += len(part)
                if size > TEXT_BYTES_MAX:
                    return _too_large(_TEXT_TOO_LONG)
                parts.append(part)
        return b"".join(parts)


def _as_text(raw: bytes) -> str | Refusal:
    if raw[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return _no_file("文件是UTF-16编码，应为UTF-8")
    if b"\0" in raw[:_CHUNK]:
        return _no_file("文件不是文本")
    try:
        return raw.removeprefix(b"\xef\xbb\xbf").decode("utf-8")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        try:
            raw.decode("gb18030")
            guess = "，疑为GBK/GB18030编码"
        except UnicodeDecodeError:
            guess = ""
        return _no_file(f"文件第{line}行不是UTF-8编码{guess}")


def _no_file(reason: str, *, received: str = "") -> Refusal:
    return refuse("FILE_UNREADABLE", reason, field=_FIELD, received=received, remedy=_AGAIN)


def _too_large(reason: str, *, field: str = _FIELD) -> Refusal:
    return refuse("FILE_TOO_LARGE", reason, field=field, remedy="请分多个文件上传，对账文件请缩短对账期间")


def read_rows(text: str, columns: Sequence[Field], *, may_be_empty: Iterable[str] = ()) -> list[dict[str, Any]] | Refusal:
    """Return the rows of a text by column name: text as it came, numbers as ``Decimal``, what is empty has no key.

    A first line with the columns' names is left out. All faults are named by line.
    """
    lines = [line.removesuffix("\r") for line in text.split("\n")]
    first = 1 if lines[0].split("\t")[0].strip() in (columns[0].name, columns[0].name_zh) else 0
    numbered = [(n, line) for n, line in enumerate(lines, 1) if n > first and line.strip()]
    if len(numbered) > ROWS_MAX:
        return _too_large(f"文件有{len(numbered)}行，超过上限{ROWS_MAX}行", field="file")
    faults: list[Fault] = []
    rows = [_row(n, line, columns, frozenset(may_be_empty), faults) for n, line in numbered]
    return Refusal(tuple(faults)) if faults else rows


def _row(n: int, line: str, columns: Sequence[Field], may_be_empty: frozenset[str], faults: list[Fault]) -> dict[str, Any]:
    cells = line.split("\t")
    if len(cells) == len(columns) + 1 and not cells[-1].strip():
        cells.pop()
    if len(cells) != len(columns):
        guess = "，未见TAB分隔符" if len(cells) == 1 else ""
        faults.append(Fault(
            "FILE_COLUMNS_WRONG", f"第{n}行有{len(cells)}列，应为{len(columns)}列{guess}", f"file[{n}]", line[:60],
            "列依次为" + "、".join(c.name_zh for c in columns),
        ))
        return {}
    row: dict[str, Any] = {"line": n}
    for column, cell in zip(columns, cells, strict=True):
        value = _value(cell.strip(), column, may_be_empty)
        if isinstance(value, tuple):
            reason, shown = value
            faults.append(Fault("FILE_ROW_WRONG", f"第{n}行{column.name_zh}{reason}", f"file[{n}].{column.name}", shown))
        elif value is not None:
            row[column.name] = value
    return row


def _value(text: str, column: Field, may_be_empty: frozenset[str]) -> str | Decimal | tuple[str, str] | None:
    """Return a cell's value, None where it is empty, or what is wrong with it and what was received."""
    if text in ("", EMPTY):
        return ("为空", "") if column.required and column.name not in may_be_empty else None
    if column.type == "number":
        number = Decimal(text) if _NUMBER.fullmatch(text) else None
        if number is None or number != round(number, column.scale or 0):
            return f"应为最多{column.scale or 0}位小数的数字", text[:30]
        return number
    if column.max_len and len(text) > column.max_len:
        return f"超过{column.max_len}个字符", text[:30]
    codes = load().code_tables.get(column.code_table, {})
    if column.closed and codes and text not in codes:
        return f"应为{'、'.join(f'{code} {name}' for code, name in codes.items())}", text[:30]
    return text


def write_rows(rows: Iterable[Sequence[str]]) -> str:
    """Return rows as text, columns separated by TAB, ``null`` where a cell is empty."""
    return "".join("\t".join(_clean(cell) or EMPTY for cell in row) + "\n" for row in rows)


def _clean(cell: str) -> str:
    return cell if cell.isprintable() else cell.translate({9: " ", 10: " ", 13: " "})


def zip_text(name: str, text: str) -> bytes:
    """Return a zip with one text file; the same text gives the same bytes."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as archive:
        entry = zipfile.ZipInfo(name, _ZIP_TIME)
        entry.compress_type = zipfile.ZIP_DEFLATED
        entry.external_attr = 0o644 << 16
        archive.writestr(entry, text)
    return buffer.getvalue()
