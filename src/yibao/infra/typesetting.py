"""Papers as PDF, set by typst: the extra ``print`` and a Chinese font are needed, their absence is said.

The same source and data give the same bytes: no instant stands in the file unless the source writes one.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import msgspec

CHINESE_FONTS = (
    "Noto Serif CJK SC", "Noto Sans CJK SC", "Source Han Serif SC", "Source Han Sans SC", "WenQuanYi Micro Hei",
    "WenQuanYi Zen Hei", "SimSun", "Microsoft YaHei", "PingFang SC",
)
"""Families that hold the characters a paper needs, the first one found is used."""


class CannotPrint(Exception):
    """No PDF can be made on this machine; the text says what to install."""


def chinese_font() -> str | None:
    """Return the family of a Chinese font on this machine, None if there is none.

    Raises:
        CannotPrint: typst is not installed.
    """
    found = _families()
    return next((name for name in CHINESE_FONTS if name in found), None)


def typeset(source: str, data: Any) -> bytes:
    """Return a PDF.

    Args:
        source: typst text; reads its data by ``json(bytes(sys.inputs.data))`` and its font from ``sys.inputs.font``.
        data: anything msgspec can encode.

    Raises:
        CannotPrint: typst or a Chinese font is missing.
    """
    font = chinese_font()
    if font is None:
        raise CannotPrint("本机没有中文字体，不能生成PDF；请安装 fonts-wqy-microhei 或 fonts-noto-cjk")
    import typst  # an extra

    inputs = {"data": msgspec.json.encode(data).decode(), "font": font}
    made: bytes = typst.compile(source.encode(), sys_inputs=inputs)
    return made


@cache
def _families() -> frozenset[str]:
    try:
        import typst  # an extra
    except ImportError as error:
        raise CannotPrint("没有安装排版程序，不能生成PDF；请安装 yibao[print]") from error
    return frozenset(typst.Fonts().families())
