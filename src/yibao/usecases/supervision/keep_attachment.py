"""Keep the material of an appeal (3704)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import msgspec

from yibao.domains.institutions.model import Institution
from yibao.domains.supervision import operations
from yibao.domains.supervision.queries import count_files
from yibao.infra.database import Connection
from yibao.infra.digest import sm3
from yibao.kernel.ids import Ids
from yibao.kernel.refusal import Fault, Refusal, refuse

FILES_MAX = 20
FILE_BYTES_MAX = 2 * 1024 * 1024
_HEADS = {
    ".pdf": (b"%PDF-",), ".png": (b"\x89PNG\r\n\x1a\n",), ".jpg": (b"\xff\xd8\xff",), ".jpeg": (b"\xff\xd8\xff",),
    ".bmp": (b"BM",), ".zip": (b"PK\x03\x04",), ".docx": (b"PK\x03\x04",), ".xlsx": (b"PK\x03\x04",),
}
"""Kinds of files that are taken, with the bytes they begin with. Nothing is ever unpacked or run here."""


class FileInput(msgspec.Struct, frozen=True):
    """One file as sent; ``content`` None where it could not be read."""

    name: str
    content: bytes | None


async def keep_attachment(
    tx: Connection, *, attachment_id: str, files: Sequence[FileInput], institution: Institution, opter: str,
    now: datetime, ids: Ids,
) -> str | Refusal:
    """Keep files under a new attachment id, or add them to one of the institution's own; return the id."""
    if not files:
        return refuse("NO_FILES", "没有附件", field="input.fsiAppealFileDTOList", remedy="请上传至少一个附件")
    code = institution.fixmedins_code
    already = 0
    if attachment_id:
        already = (await count_files(tx, fixmedins_code=code, attachment_ids=[attachment_id])).get(attachment_id, 0)
        if not already:
            return refuse("ATTACHMENT_NOT_FOUND", "本机构没有这个附件", field="input.attUploadId", received=attachment_id,
                          remedy="首次上传请不填附件id，由平台返回")
    if already + len(files) > FILES_MAX:
        return refuse("TOO_MANY_FILES", f"一份申诉材料最多{FILES_MAX}个附件", field="input.fsiAppealFileDTOList",
                      received=str(already + len(files)), remedy="请合并附件")
    faults = [f for place, file in enumerate(files) for f in _faults(file, f"input.fsiAppealFileDTOList[{place}]")]
    if faults:
        return Refusal(tuple(faults))
    attachment_id = attachment_id or ids.new(now)
    for ordinal, file in enumerate(files, already + 1):
        assert file.content is not None
        await operations.add_file(
            tx, fixmedins_code=code, attachment_id=attachment_id, ordinal=ordinal, admdvs=institution.region,
            name=file.name, content=file.content, digest=sm3(file.content), at=now, opter=opter,
        )
    return attachment_id


def _faults(file: FileInput, at: str) -> list[Fault]:
    if file.content is None:
        return [Fault("FILE_UNREADABLE", "附件字节不是Base64文本", f"{at}.bytes", "", "请上传附件内容的Base64文本")]
    faults = []
    heads = _HEADS.get("." + file.name.rsplit(".", 1)[-1].lower() if "." in file.name else "")
    if heads is None or "/" in file.name or "\\" in file.name or not file.name.isprintable():
        faults.append(Fault("FILE_KIND", "附件类型不接受", f"{at}.name", file.name[:50],
                            f"请上传{'、'.join(k[1:] for k in _HEADS)}文件"))
    elif not file.content.startswith(heads):
        faults.append(Fault("FILE_CONTENT", "附件内容与文件名的类型不符", f"{at}.bytes", file.name[:50], "请核对文件"))
    if len(file.content) > FILE_BYTES_MAX:
        faults.append(Fault("FILE_TOO_LARGE", f"附件最大{FILE_BYTES_MAX // 1024 // 1024}MB", f"{at}.bytes",
                            f"{len(file.content)}字节", "请压缩图片或拆分文件"))
    return faults
