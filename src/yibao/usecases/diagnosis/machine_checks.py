"""Checks of the host and the settings; no database needed."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from yibao.infra.config import Settings, unknown_variables
from yibao.usecases.diagnosis.finding import Finding, fine, worth_a_look, wrong

_FREE_BYTES_MIN = 1 << 30
_FREE_SHARE_MIN = 0.05
# SM3 of "abc": the first example of GB/T 32905-2016, appendix A.
_SM3_OF_ABC = "66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0"
_FONT_ROOTS = ("/usr/share/fonts", "/usr/local/share/fonts", "/System/Library/Fonts", "~/.fonts", "~/.local/share/fonts")
_FONT_NAMES = ("wqy", "notosanscjk", "notoserifcjk", "notosanssc", "sourcehan", "pingfang", "simsun", "msyh", "droidsansfallback")
_LOOPBACK = ("127.0.0.1", "::1", "localhost")


def check_home(home: Path) -> Finding:
    """Say whether the home directory can be made and written."""
    name = "machine.home"
    probe = home / ".doctor"
    try:
        home.mkdir(parents=True, exist_ok=True)
        probe.write_bytes(b"")
        probe.unlink()
    except OSError as error:
        return wrong(name, f"目录 {home} 不可写（{error.strerror}）", "修改目录权限，或用 YIBAO_HOME 另指一个可写的目录")
    return fine(name, f"目录 {home} 可写")


def check_disk(home: Path, *, usage: Callable[[Path], tuple[int, int, int]] = shutil.disk_usage) -> Finding:
    """Say whether the disk under the home directory has room: 1 GiB and 5 % at least."""
    name = "machine.disk"
    at = next(p for p in (home.absolute(), *home.absolute().parents) if p.exists())
    total, _used, free = usage(at)
    room = f"{at} 所在磁盘剩余 {free / 2**30:.1f} GiB（{free * 100 // total}%）"
    if free < _FREE_BYTES_MIN or free < total * _FREE_SHARE_MIN:
        return wrong(name, room, "清理磁盘或换到更大的磁盘；写满后数据库会停止接受结算")
    return fine(name, room)


def check_port(settings: Settings, *, is_free: bool, is_ours: bool) -> Finding:
    """Say whether the port can be listened on, or our own server is there already."""
    name = "machine.port"
    address = f"{settings.host}:{settings.port}"
    if is_ours:
        return fine(name, f"服务正在 {address} 运行")
    if is_free:
        return fine(name, f"端口 {address} 空闲")
    return wrong(name, f"端口 {address} 被别的程序占用", "结束占用端口的程序，或用 YIBAO_PORT 换一个端口")


def check_zone(*, load: Callable[[str], ZoneInfo] = ZoneInfo) -> Finding:
    """Say whether business time is known: eight hours east, all year."""
    name = "machine.zone"
    try:
        offset = datetime(2025, 7, 1, tzinfo=load("Asia/Shanghai")).utcoffset()
    except ZoneInfoNotFoundError:
        return wrong(name, "找不到时区 Asia/Shanghai", "安装 Python 包 tzdata（pip install tzdata）")
    if offset != timedelta(hours=8):
        return wrong(name, f"时区 Asia/Shanghai 的偏移是 {offset}，应为 8 小时", "更新 tzdata，并检查 PYTHONTZPATH")
    return fine(name, "时区 Asia/Shanghai 正确")


def check_sm3(*, digest: Callable[[bytes], bytes]) -> Finding:
    """Say whether SM3 gives the standard's own example; digests of replies and the audit chain need it."""
    name = "machine.sm3"
    remedy = "安装带 SM3 的 OpenSSL 或更新 Python 包 cryptography"
    try:
        found = digest(b"abc").hex()
    except Exception as error:
        return wrong(name, f"SM3 不可用（{error}）", remedy)
    if found != _SM3_OF_ABC:
        return wrong(name, "SM3 算出的结果与国家标准的示例不符", remedy)
    return fine(name, "SM3 可用，与国家标准示例一致")


def check_font(*, roots: Iterable[str] = _FONT_ROOTS) -> Finding:
    """Say whether a Chinese font is installed; printing and screenshots need it, the gateway does not."""
    name = "machine.font"
    for root in roots:
        for _at, _folders, files in os.walk(os.path.expanduser(root)):
            for file in files:
                plain = file.lower().replace("-", "").replace("_", "").replace(" ", "")
                if plain.startswith(_FONT_NAMES):
                    return fine(name, f"中文字体 {file}")
    return worth_a_look(name, "本机没有中文字体", "Debian：apt-get install fonts-wqy-microhei")


def check_failpoints(settings: Settings) -> Finding:
    """Say whether fault injection is off."""
    name = "settings.failpoints"
    if settings.failpoints:
        return wrong(name, "故障注入已开启：任何来访者都能让服务进程退出", "去掉 YIBAO_FAILPOINTS（只供测试使用）")
    return fine(name, "故障注入已关闭")


def check_variables(environ: Mapping[str, str]) -> Finding:
    """Say whether every YIBAO_ variable is one that is read."""
    name = "settings.variables"
    unknown = unknown_variables(environ)
    if unknown:
        return worth_a_look(name, f"有不认识的环境变量：{'、'.join(unknown)}", "核对拼写；不认识的变量不起作用")
    return fine(name, "环境变量都认识")


def check_exposure(settings: Settings) -> Finding:
    """Say whether a server open to others is at least no demo and asks browsers for TLS."""
    name = "settings.exposure"
    if settings.host in _LOOPBACK:
        return fine(name, "只监听本机")
    if settings.demo:
        return wrong(name, f"演示环境监听 {settings.host}，别人可以不经认证结算", "去掉 YIBAO_HOST，或不要在演示模式下对外服务")
    if not settings.secure_cookies:
        return worth_a_look(name, f"对外监听 {settings.host} 而 Cookie 未标记 Secure",
                            "在前面放置 TLS 代理并设置 YIBAO_SECURE_COOKIES=1")
    return fine(name, f"监听 {settings.host}，Cookie 仅经 TLS 发送")
