"""Checks of the PostgreSQL server, its roles and the schema; each reads, none writes."""

from __future__ import annotations

from datetime import datetime

from yibao.infra.config import Settings
from yibao.infra.database import GATEWAY, PORTAL, WORKER, Connection
from yibao.usecases.diagnosis.finding import Finding, fine, worth_a_look, wrong

OLDEST_SERVER = 150_000
"""PostgreSQL 15, as ``server_version_num`` says it."""
_ROLES = (GATEWAY, PORTAL, WORKER)
_SKEW_S_MAX = 5.0
# Beside the pool of the gateway each worker process opens one for pages and one to seal the audit chain.
_EXTRA_POOLS = 5
_RESERVED = 10

SETTINGS = "select name, setting from pg_settings where name = any ($1)"
ROLES = """
select r.rolname, r.rolsuper, r.rolbypassrls, pg_has_role(session_user, r.oid, 'member') as usable,
       (select count(*) from pg_class c where c.relowner = r.oid) as owned
from pg_roles r where r.rolname = any ($1)
"""
UNGUARDED = """
select n.nspname || '.' || c.relname from pg_class c
join pg_namespace n on n.oid = c.relnamespace
join pg_attribute a on a.attrelid = c.oid and a.attname = 'admdvs' and not a.attisdropped
where c.relkind in ('r', 'p') and n.nspname in ('platform', 'people', 'enrolment', 'institutions', 'catalogue',
    'applications', 'encounters', 'settlements', 'ledger', 'access')
  and not (c.relrowsecurity and c.relforcerowsecurity)
order by 1
"""


async def check_version(tx: Connection) -> Finding:
    """Say whether the server is PostgreSQL 15 or newer."""
    name = "database.version"
    number = int(await tx.fetchval("show server_version_num"))
    text = f"PostgreSQL {number // 10_000}.{number % 10_000}"
    if number < OLDEST_SERVER:
        return wrong(name, text, "升级到 PostgreSQL 15 或更新版本")
    return fine(name, text)


async def check_durability(tx: Connection) -> Finding:
    """Say whether a committed settlement survives a power cut."""
    name = "database.durability"
    rows = await tx.fetch(SETTINGS, ["fsync", "full_page_writes", "synchronous_commit"])
    off = sorted(row["name"] for row in rows if row["setting"] == "off")
    if off:
        return wrong(name, f"{'、'.join(off)} 已关闭：断电会丢失已答复的结算",
                     f"在 postgresql.conf 中把 {'、'.join(off)} 设为 on 并重新启动数据库")
    return fine(name, "fsync、full_page_writes、synchronous_commit 均已开启")


async def check_checksums(tx: Connection) -> Finding:
    """Say whether pages carry checksums."""
    name = "database.checksums"
    if await tx.fetchval("show data_checksums") == "on":
        return fine(name, "数据页校验和已开启")
    return worth_a_look(name, "数据页没有校验和，磁盘错误可能不被发现", "停止数据库后运行 pg_checksums --enable")


async def check_encoding(tx: Connection) -> Finding:
    """Say whether every Chinese character can be stored."""
    name = "database.encoding"
    encoding = await tx.fetchval("show server_encoding")
    if encoding != "UTF8":
        return wrong(name, f"数据库编码是 {encoding}", "用 encoding 'UTF8' 另建数据库并迁移数据")
    return fine(name, "数据库编码是 UTF8")


def check_schema(*, found: str | None, wanted: str) -> Finding:
    """Say whether the schema is the one this program knows."""
    name = "database.schema"
    if found == wanted:
        return fine(name, f"数据库结构 {found}")
    return wrong(name, f"数据库结构是 {found or '空库'}，本程序需要 {wanted}", "运行 yibao migrate；若数据库较新，请升级程序")


async def check_roles(tx: Connection) -> Finding:
    """Say whether the roles we act as own nothing and cannot look around row-level security."""
    name = "database.roles"
    rows = {row["rolname"]: row for row in await tx.fetch(ROLES, list(_ROLES))}
    faults = [f"{role} 不存在" for role in _ROLES if role not in rows]
    for role, row in rows.items():
        faults += [f"{role} {what}" for key, what in (
            ("rolsuper", "是超级用户"), ("rolbypassrls", "能绕过行级安全")) if row[key]]
        if row["owned"]:
            faults.append(f"{role} 拥有 {row['owned']} 个对象")
        if not row["usable"]:
            faults.append(f"登录用户不能切换为 {role}")
    if faults:
        return wrong(name, "；".join(faults),
                     "运行 yibao migrate 建立角色；多余的权限用 alter role 角色 nosuperuser nobypassrls 收回，"
                     "对象用 reassign owned 交还")
    return fine(name, f"{len(_ROLES)} 个应用角色都没有特权，也不拥有任何对象")


async def check_login(tx: Connection) -> Finding:
    """Say whether the login itself is no superuser."""
    name = "database.login"
    if await tx.fetchval("select rolsuper from pg_roles where rolname = session_user"):
        return worth_a_look(name, "登录用户是超级用户：口令泄露等于全部数据泄露",
                            "用 create role … login createrole 另建用户，交给它数据库，并写进 YIBAO_DATABASE_URL")
    return fine(name, "登录用户不是超级用户")


async def check_row_security(tx: Connection) -> Finding:
    """Say whether every table with a region forces row-level security."""
    name = "database.row_security"
    tables = [row[0] for row in await tx.fetch(UNGUARDED)]
    if tables:
        return wrong(name, f"没有强制行级安全的表：{'、'.join(tables)}",
                     "对每张表运行 alter table … enable row level security; alter table … force row level security")
    return fine(name, "所有含区划的表都强制行级安全")


async def check_connections(tx: Connection, settings: Settings) -> Finding:
    """Say whether the server takes all connections that the workers may open."""
    name = "database.connections"
    most = int(await tx.fetchval("show max_connections"))
    needed = settings.workers * (settings.connections + _EXTRA_POOLS) + _RESERVED
    if most < needed:
        return wrong(name, f"max_connections 是 {most}，{settings.workers} 个进程最多需要 {needed}",
                     f"把 max_connections 提高到 {needed} 以上，或减小 YIBAO_WORKERS、YIBAO_CONNECTIONS")
    return fine(name, f"max_connections {most} 足够（需要 {needed}）")


async def check_clock(tx: Connection, *, now: datetime) -> Finding:
    """Say whether this host and the database agree on the time."""
    name = "database.clock"
    there: datetime = await tx.fetchval("select clock_timestamp()")
    skew = abs((there - now).total_seconds())
    if skew > _SKEW_S_MAX:
        return wrong(name, f"本机与数据库的时钟相差 {skew:.0f} 秒", "在两台机器上启用时间同步（NTP）")
    return fine(name, "本机与数据库时钟一致")
