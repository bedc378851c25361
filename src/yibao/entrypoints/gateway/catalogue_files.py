"""The national lists as text files: columns in the order of the field tables, tab-separated, zipped.

The same version gives the same bytes, whenever and wherever it is asked for.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable, Iterable, Mapping
from datetime import date, timedelta

from yibao.domains.catalogue.downloads import FileRow
from yibao.entrypoints.gateway.interface import load

Cell = Callable[[FileRow], str]

EMPTY = "null"
_ZIP_TIME = (1980, 1, 1, 0, 0, 0)
_OTC = {"0": "处方药", "1": "甲类非处方药", "2": "乙类非处方药"}
_DEMO = "示例数据，编码为虚构，非国家编码"


def _detail(name: str) -> Cell:
    return lambda row: row.detail.get(name, "")


def _day(day: date | None) -> str:
    return "" if day is None else day.isoformat()


def _last_day(row: FileRow) -> str:
    return "" if row.valid_to is None else _day(row.valid_to - timedelta(days=1))


def _version_day(row: FileRow) -> str:
    """Return the day a version is named after, as the time its rows were made."""
    digits = row.version.lstrip("v")[:8]
    try:
        return f"{date(int(digits[:4]), int(digits[4:6]), int(digits[6:]))} 00:00:00"
    except ValueError:
        return ""


def _version_name(row: FileRow) -> str:
    return row.version if row.origin == "national" else f"{row.version}（{_DEMO}）"


_EVERYWHERE: dict[str, Cell] = {
    "有效标志": lambda _row: "1",
    "唯一记录号": lambda row: f"{row.code}-{row.version}",
    "数据创建时间": lambda row: row.detail.get("created_at") or _version_day(row),
    "数据更新时间": _version_day,
    "版本号": lambda row: row.version,
    "版本名称": _version_name,
    "开始日期": lambda row: _day(row.valid_from),
    "结束日期": _last_day,
    "生效时间": lambda row: _day(row.valid_from),
    "失效时间": _last_day,
    "拼音助记码": lambda row: row.initials,
    "下发标志": lambda _row: "1",
}
_ITEM: dict[str, Cell] = {"医疗目录编码": lambda row: row.code}
_BY_LIST: dict[str, dict[str, Cell]] = {
    "1301": _ITEM | {
        "药品商品名": _detail("product_name"),
        "药品通用名": lambda row: row.name,
        "注册名称": lambda row: row.name,
        "药监本位码": _detail("standard_code"),
        "药品剂型": lambda row: row.dosage_form,
        "药品剂型名称": lambda row: row.dosage_form,
        "药品类别": lambda row: row.class_code,
        "药品类别名称": _detail("class_name"),
        "药品规格": lambda row: row.spec,
        "注册剂型": _detail("registered_form"),
        "注册规格": _detail("registered_spec"),
        "中成药标志": lambda row: "1" if row.code.startswith("Z") else "0",
        "非处方药标志": _detail("otc"),
        "非处方药标志名称": lambda row: _OTC.get(row.detail.get("otc", ""), ""),
        "包装材质": _detail("pack_material"),
        "包装材质名称": _detail("pack_material"),
        "包装数量": _detail("pack_count"),
        "最小包装数量": _detail("pack_count"),
        "最小包装单位": _detail("pack_unit"),
        "最小包装单位名称": _detail("pack_unit"),
        "最小制剂单位": _detail("dose_unit"),
        "最小制剂单位名称": _detail("dose_unit"),
        "最小计价单位": _detail("price_unit"),
        "药品有效期": _detail("shelf_months"),
        "生产企业名称": lambda row: row.maker,
        "批准文号": lambda row: row.approval_no,
        "批准文号结束日期": _detail("approval_to"),
        "市场状态名称": _detail("market"),
        "医保谈判药品标志": lambda row: "1" if row.negotiated else "0",
        "儿童用药": _detail("child"),
        "国家医保药品目录剂型": _detail("national_form"),
        "国家医保药品目录甲乙类标识": _detail("national_level"),
        "上市许可证持有人": _detail("holder"),
    },
    "1302": _ITEM | {
        "单味药名称": lambda row: row.name,
        "药材名称": lambda row: row.name,
        "国家医保支付政策": _detail("payment"),
    },
    "1303": _ITEM | {"药品商品名": lambda row: row.name},
    "1305": _ITEM | {
        "计价单位": lambda row: row.unit,
        "计价单位名称": lambda row: row.unit,
        "服务项目类别": lambda row: row.detail.get("class_name") or row.class_code,
        "医疗服务项目名称": lambda row: row.name,
    },
    "1306": _ITEM | {
        "耗材名称": lambda row: row.name,
        "规格": lambda row: row.spec,
        "耗材分类": lambda row: row.class_code,
        "生产企业名称": lambda row: row.maker,
    },
    "1307": {
        "西医疾病诊断ID": lambda row: row.code,
        "类目代码": lambda row: row.code[:3],
        "亚目代码": lambda row: row.code[:5],
        "诊断代码": lambda row: row.code,
        "诊断名称": lambda row: row.name,
    },
    "1308": {
        "手术标准目录ID": lambda row: row.code,
        "类目代码": lambda row: row.code[:2],
        "手术操作代码": lambda row: row.code,
        "手术操作名称": lambda row: row.name,
    },
    "1309": {
        "门慢门特病种目录代码": lambda row: row.code,
        "门慢门特病种名称": lambda row: row.name,
        "门慢门特病种大类代码": lambda row: row.kind,
    },
    "1313": {
        "肿瘤形态学ID": lambda row: row.code,
        "形态学分类代码": lambda row: row.code,
        "形态学分类": lambda row: row.name,
    },
    "1314": {
        "中医疾病诊断ID": lambda row: row.code,
        "专科系统分类目代码": lambda row: row.code,
        "专科系统分类目名称": lambda row: row.name,
    },
    "1315": {
        "中医证候ID": lambda row: row.code,
        "证候类目代码": lambda row: row.code,
        "证候类目名称": lambda row: row.name,
    },
}


def column_names(infno: str) -> tuple[str, ...]:
    """Return the Chinese names of a file's columns, in order, from the field table."""
    return tuple(field.name_zh for field in load().transactions[infno].outfile)


def known_columns(infno: str) -> Mapping[str, Cell]:
    """Return what we can fill in a list's columns, by Chinese name; every other column is empty."""
    return _EVERYWHERE | _BY_LIST.get(infno.rstrip("A"), {})


def _clean(value: str) -> str:
    """Return a value that cannot break a line into two or shift its columns."""
    return value if value.isprintable() else value.translate({9: " ", 10: " ", 13: " "})


def text_file(infno: str, rows: Iterable[FileRow]) -> str:
    """Return a list as text: one row a line, columns separated by TAB, ``null`` where nothing is known."""
    known, names = known_columns(infno), column_names(infno)
    filled = [(index, known[name]) for index, name in enumerate(names) if name in known]
    lines = []
    for row in rows:
        cells = [EMPTY] * len(names)
        for index, cell in filled:
            cells[index] = _clean(cell(row)) or EMPTY
        lines.append("\t".join(cells))
    return "".join(f"{line}\n" for line in lines)


def zip_file(infno: str, name: str, rows: Iterable[FileRow]) -> bytes:
    """Return a list as a zip that holds one text file; the same rows give the same bytes."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as archive:
        entry = zipfile.ZipInfo(f"{name}.txt", _ZIP_TIME)
        entry.compress_type = zipfile.ZIP_DEFLATED
        entry.external_attr = 0o644 << 16
        archive.writestr(entry, text_file(infno, rows))
    return buffer.getvalue()
