"""Sign a prescription's file for an institution (7102)."""

from __future__ import annotations

import base64
import binascii
from datetime import datetime

import msgspec

from yibao.domains.dispensing.prescriptions_operations import add_signature
from yibao.domains.institutions.model import HOSPITAL, Institution
from yibao.infra.database import Connection
from yibao.infra.digest import sm3
from yibao.kernel.refusal import Refusal, refuse

FILE_BYTES_MAX = 2 * 1024 * 1024


class Signed(msgspec.Struct, frozen=True):
    """What the platform vouches for: the file as it came, and the value that it can be recognised by."""

    file: str
    sign_value: str


async def sign_prescription(
    tx: Connection, *, text: str, file: str, institution: Institution, now: datetime
) -> Signed | Refusal:
    """Keep the digests of text and file, so that only this very file can be uploaded and verified later.

    The value is the SM3 digest over institution, text and file: the platform vouches for it by keeping it. No
    certificate stands behind it, and the reply says so.
    """
    if institution.kind != HOSPITAL:
        return refuse("PRESCRIBER_NOT_A_HOSPITAL", "药店不能签署电子处方", field="data.fixmedinsCode",
                      received=institution.fixmedins_code, remedy="请由定点医疗机构签名")
    content = decoded_file(file, field="data.originalRxFile")
    if isinstance(content, Refusal):
        return content
    file_digest, text_digest = sm3(content), sm3(text.encode())
    value = base64.b64encode(sm3(institution.fixmedins_code.encode() + text_digest + file_digest)).decode()
    await add_signature(
        tx, fixmedins_code=institution.fixmedins_code, sign_value=value, admdvs=institution.region,
        file_digest=file_digest, text_digest=text_digest, now=now,
    )
    return Signed(file, value)


def decoded_file(text: str, *, field: str) -> bytes | Refusal:
    """Return the bytes of a file sent as Base64 text; line breaks inside are taken."""
    try:
        content = base64.b64decode("".join(text.split()), validate=True)
    except (binascii.Error, ValueError):
        return refuse("FILE_NOT_BASE64", "处方文件不是Base64文本", field=field, received=text[:20],
                      remedy="请将文件内容转为Base64后上传")
    if not content or len(content) > FILE_BYTES_MAX:
        return refuse("FILE_SIZE", f"处方文件须有内容且不超过{FILE_BYTES_MAX // 1024 // 1024}MB", field=field,
                      received=f"{len(content)}字节", remedy="请压缩后重新签名")
    return content
