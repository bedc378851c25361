"""Sign a prescription's file for an institution (7102)."""

from __future__ import annotations

import base64
import binascii
from datetime import datetime

import asyncpg
import msgspec

from yibao.domains.dispensing.prescriptions_operations import add_signature
from yibao.domains.institutions.model import HOSPITAL, Institution
from yibao.infra import sm2
from yibao.infra.database import Connection
from yibao.infra.digest import sm3
from yibao.infra.sm2 import Seal
from yibao.kernel.refusal import Refusal, refuse

FILE_BYTES_MAX = 2 * 1024 * 1024


class Signed(msgspec.Struct, frozen=True):
    """What the platform vouches for: the file as it came, the value it is recognised by, and whose key made it.

    ``public_key`` is PEM, ``b""`` where the value is a digest and no signature.
    """

    file: str
    sign_value: str
    public_key: bytes


async def sign_prescription(
    tx: Connection, *, text: str, file: str, institution: Institution, seal: Seal | None, now: datetime
) -> Signed | Refusal:
    """Sign text and file for an institution, so that only this very file can be uploaded and verified later.

    Signed is the institution's code with the SM3 digests of both, by SM2 with the platform's own key, which no
    authority certified. Without a key the value is the SM3 digest alone, which the platform vouches for by keeping it.
    """
    if institution.kind != HOSPITAL:
        return refuse("PRESCRIBER_NOT_A_HOSPITAL", "药店不能签署电子处方", field="data.fixmedinsCode",
                      received=institution.fixmedins_code, remedy="请由定点医疗机构签名")
    content = decoded_file(file, field="data.originalRxFile")
    if isinstance(content, Refusal):
        return content
    file_digest, text_digest = sm3(content), sm3(text.encode())
    statement = signed_statement(institution.fixmedins_code, text_digest, file_digest)
    value = sm3(statement) if seal is None else sm2.sign(seal.private, statement)
    signed = Signed(file, base64.b64encode(value).decode(), b"" if seal is None else seal.public)
    await add_signature(
        tx, fixmedins_code=institution.fixmedins_code, sign_value=signed.sign_value, admdvs=institution.region,
        file_digest=file_digest, text_digest=text_digest, public_key=signed.public_key.decode(), now=now,
    )
    return signed


def signed_statement(fixmedins_code: str, text_digest: bytes, file_digest: bytes) -> bytes:
    """Return what is signed for a prescription."""
    return fixmedins_code.encode() + text_digest + file_digest


def is_vouched_for(signature: asyncpg.Record, content: bytes) -> bool:
    """Say whether a file is the one a kept signature was made for; a signature by a key is verified with it."""
    if sm3(content) != signature["file_digest"]:
        return False
    if not signature["public_key"] or not sm2.available():
        return True
    statement = signed_statement(signature["fixmedins_code"], signature["text_digest"], sm3(content))
    return sm2.is_signed(signature["public_key"].encode(), statement, base64.b64decode(signature["sign_value"]))


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
