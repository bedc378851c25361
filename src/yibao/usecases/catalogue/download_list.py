"""Hand out the national lists as files: say what is newer than a copy, and give those rows."""

from __future__ import annotations

import re

import msgspec

from yibao.domains.catalogue.downloads import DownloadList, FileRow, find_newer, list_rows
from yibao.infra.database import Connection
from yibao.kernel.refusal import Refusal, refuse

LISTS: dict[str, DownloadList] = {
    each.name: each
    for each in (
        DownloadList("drugs", "西药中成药目录", "item", "101"),
        # Names of pieces are the published ones; only their codes are invented, and each row says so.
        DownloadList("pieces", "中药饮片目录", "item", "102", includes_demo=True),
        DownloadList("preparations", "医疗机构制剂目录", "item", "103"),
        DownloadList("services", "医疗服务项目目录", "item", "201"),
        DownloadList("consumables", "医用耗材目录", "item", "301"),
        DownloadList("diagnoses", "疾病与诊断目录", "diagnosis"),
        DownloadList("procedures", "手术操作目录", "procedure"),
        DownloadList("chronic_diseases", "门诊慢特病种目录", "chronic_disease"),
        DownloadList("by_disease", "按病种付费病种目录"),
        DownloadList("day_surgery", "日间手术治疗病种目录"),
        DownloadList("tumours", "肿瘤形态学目录", "tcm_class", "tumour"),
        DownloadList("tcm_diseases", "中医疾病目录", "tcm_class", "tcm_disease"),
        DownloadList("tcm_syndromes", "中医证候目录", "tcm_class", "tcm_syndrome"),
    )
}
"""The lists by name. A list of which no public rows exist is there, and empty."""

_VERSION = re.compile(r"[vV]?(\d{1,20})", re.ASCII)
_OWN_DIGITS = 11


class Offer(msgspec.Struct, frozen=True):
    """What a client that holds version ``since`` gets: ``rows`` rows up to version ``until``."""

    since: int
    until: int
    rows: int


def read_version(text: str) -> int | None:
    """Return a version as a number: ``v0000`` is 0; None for what is no version.

    Longer numbers come from copies of another platform and begin with a day; the day counts.
    """
    found = _VERSION.fullmatch(text)
    if found is None:
        return None
    digits = found[1]
    return int(digits if len(digits) <= _OWN_DIGITS else digits[:8])


async def offer_list(tx: Connection, wanted: DownloadList, *, local_version: str) -> Offer | Refusal:
    """Say which rows of a list are newer than the client's version."""
    since = read_version(local_version)
    if since is None:
        return refuse(
            "CATALOGUE_VERSION_UNREADABLE", "版本号无法识别", field="data.ver", received=local_version[:40],
            remedy="请填写本地最大版本号，首次下载填v0000",
        )
    latest, rows = await find_newer(tx, wanted, since=since)
    return Offer(min(since, latest), latest, rows)


async def read_list(tx: Connection, wanted: DownloadList, *, since: int, until: int) -> list[FileRow] | Refusal:
    """Give the rows between two versions, the same ones whenever asked."""
    latest, _ = await find_newer(tx, wanted, since=since)
    if until > latest or since > until:
        return refuse(
            "FILE_UNKNOWN", f"没有这个版本的{wanted.title}文件", field="fsDownloadIn.file_qury_no",
            received=f"{since}-{until}", remedy="请先调用目录下载交易取得文件查询号",
        )
    return await list_rows(tx, wanted, since=since, until=until)
