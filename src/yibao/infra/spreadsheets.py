"""Spreadsheets as bytes that depend on their content alone."""

from __future__ import annotations

import io
import re
import zipfile

from openpyxl import Workbook

_STAMPS = re.compile(rb"(<dcterms:(created|modified)[^>]*>)[^<]*(</dcterms:)")
_NEVER = b"2000-01-01T00:00:00Z"
_FIRST_DAY = (1980, 1, 1, 0, 0, 0)


def to_bytes(workbook: Workbook) -> bytes:
    """Return a workbook as an XLSX file; when and where it was written does not show in it."""
    written = io.BytesIO()
    workbook.save(written)
    stable = io.BytesIO()
    with zipfile.ZipFile(written) as source, zipfile.ZipFile(stable, "w", zipfile.ZIP_DEFLATED) as target:
        for name in sorted(source.namelist()):
            content = source.read(name)
            if name == "docProps/core.xml":
                content = _STAMPS.sub(rb"\g<1>" + _NEVER + rb"\g<3>", content)
            entry = zipfile.ZipInfo(name, _FIRST_DAY)
            entry.compress_type = zipfile.ZIP_DEFLATED
            target.writestr(entry, content)
    return stable.getvalue()
