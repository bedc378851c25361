"""9101 and 9102: what is uploaded comes back byte for byte; what cannot be a book is refused by name."""

from __future__ import annotations

import base64
import io
import secrets
import zipfile
import zlib
from collections.abc import Callable
from typing import Any

import pytest

from tests.support.accountant import COLUMNS, book_file, details, download, result_rows, today, upload, zipped
from tests.support.till import Refused, Till

GOOD = "\t".join(("1", "2", "3", "10.00", "5.00", "0.00", "0"))


def compare(till: Till, content: bytes) -> list[dict[str, str]]:
    file = upload(till, content)
    return result_rows(download(till, till.call("3202", {"data": {
        "setl_optins": till.counter.region, "file_qury_no": file["file_qury_no"], "stmt_begndate": today(),
        "stmt_enddate": today(), "clr_type": "11", "medfee_sumamt": 10, "fund_pay_sumamt": 5, "cash_payamt": 5,
        "fixmedins_setl_cnt": 1,
    }})["fileinfo"]))


def bomb(size: int) -> bytes:
    """Return a small zip whose one text is ``size`` bytes of zeros once unpacked."""
    return zipped(b"0" * size)


def lying_bomb() -> bytes:
    """Return a zip that says its text has 10 bytes and holds 40 MB."""
    content = bytearray(bomb(40 * 1024 * 1024))
    for signature, offset in ((b"PK\x03\x04", 22), (b"PK\x01\x02", 24)):
        at = content.index(signature) + offset
        content[at:at + 4] = (10).to_bytes(4, "little")
    return bytes(content)


def two_texts() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("a.txt", GOOD)
        archive.writestr("b.txt", GOOD)
    return buffer.getvalue()


def encrypted() -> bytes:
    content = bytearray(zipped(GOOD))
    for signature, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        content[content.index(signature) + offset] |= 1
    return bytes(content)


def damaged() -> bytes:
    content = bytearray(zipped("\n".join(GOOD + str(n) for n in range(1000))))
    content[80] ^= 0xFF
    content[90] ^= 0xFF
    return bytes(content)


BAD: dict[str, tuple[Callable[[], bytes], str]] = {
    "no zip, no text": (lambda: bytes(range(256)), "不是文本"),
    "a cut zip": (lambda: zipped(GOOD)[:-30], "已损坏"),
    "a damaged zip": (damaged, "已损坏"),
    "an encrypted zip": (encrypted, "已加密"),
    "two texts": (two_texts, "2个文件"),
    "an empty zip": (lambda: b"PK\x05\x06" + bytes(18), "0个文件"),
    "a zip bomb": (lambda: bomb(200 * 1024 * 1024), "解压后的文本超过上限32MB"),
    "a zip bomb that lies about its size": (lying_bomb, "已损坏"),
    "GBK": (lambda: zipped((GOOD + "\n医保").encode("gbk")), "第2行不是UTF-8编码，疑为GBK"),
    "UTF-16": (lambda: zipped(GOOD.encode("utf-16")), "UTF-16"),
    "a picture in the zip": (lambda: zipped(b"\x89PNG\r\n\x1a\n" + bytes(200)), "不是文本"),
}


@pytest.mark.parametrize("what", BAD)
def test_what_cannot_be_a_book_is_refused(till: Till, what: str) -> None:
    make, said = BAD[what]
    with pytest.raises(Refused, match=said) as refusal:
        upload(till, make())
    assert "fsUploadIn.in" in str(refusal.value)


def test_a_bomb_is_refused_without_being_unpacked_whole(till: Till) -> None:
    """A gigabyte of zeros packs into a megabyte: the answer must come at once, not after a gigabyte."""
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    chunk, parts = bytes(1024 * 1024), []
    crc = 0
    for _ in range(1024):
        parts.append(packer.compress(chunk))
        crc = zlib.crc32(chunk, crc)
    packed = b"".join(parts) + packer.flush()
    small = bytearray(zipped(b"0"))
    with zipfile.ZipFile(io.BytesIO(bytes(small))) as archive:
        old = archive.getinfo("book.txt")
    body = bytes(small)
    start = old.header_offset + 30 + len("book.txt")
    central = body.index(b"PK\x01\x02")
    forged = bytearray(body[:start] + packed + body[central:])
    shift = len(packed) - old.compress_size
    for signature, at in ((b"PK\x03\x04", 14), (b"PK\x01\x02", 16)):
        place = (forged.index(signature) if signature == b"PK\x03\x04" else central + shift) + at
        forged[place:place + 12] = crc.to_bytes(4, "little") + len(packed).to_bytes(4, "little") + (9).to_bytes(4, "little")
    end = forged.rindex(b"PK\x05\x06")
    forged[end + 16:end + 20] = (central + shift).to_bytes(4, "little")
    with pytest.raises(Refused, match=r"已损坏|超过上限"):
        upload(till, bytes(forged))


@pytest.mark.drives("9101", "9102")
def test_an_upload_comes_back_byte_for_byte(till: Till) -> None:
    content = zipped(GOOD)
    file = upload(till, content, name="对账.zip")
    assert (file["filename"], file["fixmedins_code"]) == ("对账.zip", till.counter.fixmedins_code)
    assert len(file["file_qury_no"]) <= 30
    assert file["dld_endtime"] > today()
    assert download(till, file) == content


def test_the_same_upload_again_is_the_same_file(till: Till) -> None:
    content, msgid = zipped(GOOD), secrets.token_hex(15)
    first = upload(till, content, msgid=msgid)
    assert upload(till, content, msgid=msgid) == first
    with pytest.raises(Refused, match="内容不同"):
        upload(till, zipped(GOOD + "\n" + GOOD), msgid=msgid)


@pytest.mark.parametrize("form", ["base64", "numbers"])
def test_a_file_may_come_inside_the_message(till: Till, form: str) -> None:
    content = zipped(GOOD)
    given: Any = base64.b64encode(content).decode() if form == "base64" else list(content)
    file = till.call("9101", {"fsUploadIn": {"in": given, "filename": "a.zip", "fixmedins_code": till.counter.fixmedins_code}})
    assert download(till, file) == content


def test_what_is_no_base64_is_refused(till: Till) -> None:
    with pytest.raises(Refused, match="无法识别"):
        till.call("9101", {"fsUploadIn": {"in": "!!!", "filename": "a.zip", "fixmedins_code": till.counter.fixmedins_code}})


def test_nobody_gets_anothers_file(till: Till, till_for: Callable[..., Till]) -> None:
    file, other = upload(till, zipped(GOOD)), till_for(index=1)
    with pytest.raises(Refused, match="没有这个文件查询号"):
        download(other, file)
    own = {"file_qury_no": file["file_qury_no"], "filename": "a.zip", "fixmedins_code": till.counter.fixmedins_code}
    with pytest.raises(Refused, match="不是本机构"):
        other.call("9102", {"fsDownloadIn": own})
    with pytest.raises(Refused, match="没有这个文件查询号"):
        other.call("3202", {"data": {
            "setl_optins": "370300", "file_qury_no": file["file_qury_no"], "stmt_begndate": today(), "stmt_enddate": today(),
            "medfee_sumamt": 0, "fund_pay_sumamt": 0, "cash_payamt": 0, "fixmedins_setl_cnt": 0, "clr_type": "11"}})


def test_a_result_is_no_book(till: Till) -> None:
    file = upload(till, book_file([]))
    ask = {"setl_optins": "370300", "file_qury_no": file["file_qury_no"], "stmt_begndate": today(), "stmt_enddate": today(),
           "medfee_sumamt": 0, "fund_pay_sumamt": 0, "cash_payamt": 0, "fixmedins_setl_cnt": 0, "clr_type": "11"}
    result = till.call("3202", {"data": ask})["fileinfo"]
    with pytest.raises(Refused, match="不是用9101上传的文件"):
        till.call("3202", {"data": {**ask, "file_qury_no": result["file_qury_no"]}})


def test_a_file_that_was_never_there_is_refused(till: Till) -> None:
    with pytest.raises(Refused, match="没有这个文件查询号"):
        download(till, {"file_qury_no": "U" + "1" * 24, "filename": "a.zip"})


WRONG_ROWS = {
    "too few columns": (GOOD.rsplit("\t", 1)[0], "第1行有6列，应为7列"),
    "too many columns": (GOOD + "\t1\t2", "第1行有9列"),
    "commas for tabs": (GOOD.replace("\t", ","), "未见TAB分隔符"),
    "columns in another order": ("\t".join(GOOD.split("\t")[-4:] + ["1", "2", "3"]), "退费结算标志应为0 否、1 是"),
    "an amount in words": (GOOD.replace("10.00", "十元"), "医疗费总额应为最多2位小数的数字"),
    "a third decimal": (GOOD.replace("10.00", "10.005"), "医疗费总额应为最多2位小数的数字"),
    "no amount": (GOOD.replace("10.00", "null"), "医疗费总额为空"),
    "no person": (GOOD.replace("\t3\t", "\t\t"), "人员编号为空"),
    "an id too long": (GOOD.replace("1\t2", "1" * 31 + "\t2", 1), "结算ID超过30个字符"),
}


@pytest.mark.parametrize("what", WRONG_ROWS)
def test_wrong_columns_are_named_by_line(till: Till, what: str) -> None:
    line, said = WRONG_ROWS[what]
    with pytest.raises(Refused, match=said):
        compare(till, zipped(line))


def test_every_wrong_line_is_named_at_once_and_many_are_counted(till: Till) -> None:
    with pytest.raises(Refused) as refusal:
        compare(till, zipped("\n".join(["x"] * 50)))
    assert "第1行" in str(refusal.value)
    assert "第20行" in str(refusal.value)
    assert "共50处错误" in str(refusal.value)


def test_headings_blank_lines_a_mark_of_order_and_old_line_ends_do_no_harm(till: Till) -> None:
    text = "\ufeff" + "\t".join(COLUMNS) + "\r\n" + GOOD + "\t\r\n\r\n"
    (row,) = compare(till, zipped(text))
    assert row["memo"].startswith("【结算ID不存在】")


def test_plain_text_is_taken_too(till: Till) -> None:
    (row,) = compare(till, GOOD.encode())
    assert row["setl_id"] == "1"


def test_totals_that_are_not_the_files_are_warned_of(till: Till) -> None:
    import json

    file = upload(till, zipped(GOOD))
    reply = json.loads(till.ask(till.envelope("3202", {"data": {
        "setl_optins": "370300", "file_qury_no": file["file_qury_no"], "stmt_begndate": today(), "stmt_enddate": today(),
        "medfee_sumamt": 11, "fund_pay_sumamt": 5, "cash_payamt": 5, "fixmedins_setl_cnt": 2, "clr_type": "11"}})))
    assert reply["infcode"] == 0
    assert "结算笔数：报文填2，文件合计1" in reply["warn_msg"]
    assert "医疗费总额：报文填11.00，文件合计10.00" in reply["warn_msg"]


def test_days_in_the_wrong_order_are_refused(till: Till) -> None:
    with pytest.raises(Refused, match="早于开始日期"):
        details(till, [], clr_type="11", first="2026-02-02", last="2026-02-01")
