"""Checks of what was loaded: policies, catalogues, institutions, the audit chain."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, timedelta

from yibao.infra.config import Settings
from yibao.infra.database import Connection
from yibao.policy.law.loading import BadPolicy, load_policy
from yibao.policy.law.parameters import RegionPolicy
from yibao.usecases.diagnosis.finding import Finding, fine, worth_a_look, wrong

_NAMES_SHOWN = 5
_UNSEALED_MAX = timedelta(minutes=5)

REGIONS = "select admdvs, name from platform.region order by admdvs"
VERSIONS = "select version from platform.policy_version where version = any ($1)"
LOADED = "select part, digest from catalogue.loaded"
AGREEMENTS = """
select region, count(*) as all, count(*) filter (
    where agreement_from <= $1 and $1 < agreement_to and (suspended_on is null or suspended_on > $1)) as valid
from institutions.institution group by region order by region
"""
UNSIGNED = "select fixmedins_code from institutions.institution where auth_scheme = 'none' order by 1"
OLDEST_UNSEALED = """
select min(at) from platform.audit_entry
where xid >= coalesce((select max(xid_to) from platform.audit_seal), '0'::xid8)
"""


def compile_policies(
    files: Mapping[str, Mapping[str, str]],
) -> tuple[dict[str, RegionPolicy], list[Finding]]:
    """Compile every region's files; return what compiled and a finding for each region that did not."""
    name = "policy.files"
    compiled: dict[str, RegionPolicy] = {}
    findings = []
    for admdvs, texts in files.items():
        try:
            compiled[admdvs] = load_policy(texts)
        except BadPolicy as error:
            shown = "；".join(fault.sentence() for fault in error.faults[:_NAMES_SHOWN])
            findings.append(wrong(name, f"{admdvs} 的政策文件有 {len(error.faults)} 处错误：{shown}",
                                  "按提示修改政策文件，用 yibao policy check 复查"))
    if not findings:
        findings.append(fine(name, f"{len(compiled)} 个统筹区的政策文件编译通过"))
    return compiled, findings


async def check_regions(tx: Connection, policies: Mapping[str, RegionPolicy], *, today: date) -> Finding:
    """Say whether every region in the database has law for today, as published."""
    name = "policy.regions"
    regions = await tx.fetch(REGIONS)
    faults = [f"{r['name']}（{r['admdvs']}）没有政策文件" for r in regions if r["admdvs"] not in policies]
    faults += [f"{p.name}（{p.admdvs}）今天没有有效的政策" for p in policies.values() if p.law_on(today) is None]
    if faults:
        return wrong(name, "；".join(faults), "在 policies/<统筹区代码>/ 下补上政策文件，用 yibao policy check 复查")
    stored = {row[0] for row in await tx.fetch(VERSIONS, [p.version for p in policies.values()])}
    unpublished = [p.name for p in policies.values() if p.version not in stored]
    if unpublished:
        return wrong(name, f"{'、'.join(unpublished)} 的政策文件有改动而未登记，重算旧结算时会找不到它", "运行 yibao migrate")
    return fine(name, f"{len(regions)} 个统筹区都有今天有效的政策")


async def check_catalogue(tx: Connection, packaged: Mapping[str, str]) -> Finding:
    """Say whether every packaged part of the catalogue is loaded, in the packaged edition.

    Args:
        packaged: part -> SM3 (hex) of the packaged file's text.
    """
    name = "catalogue.loaded"
    loaded = {row["part"]: row["digest"] for row in await tx.fetch(LOADED)}
    missing = [part for part in packaged if part not in loaded]
    older = [part for part, digest in packaged.items() if part in loaded and loaded[part] != digest]
    if missing:
        return wrong(name, f"没有导入的目录：{'、'.join(missing)}", "运行 yibao load-catalogue")
    if older:
        return worth_a_look(name, f"与内置版本不同的目录：{'、'.join(older)}", "若不是有意导入的，运行 yibao load-catalogue 更新")
    return fine(name, f"{len(packaged)} 个目录均为内置版本")


async def check_agreements(tx: Connection, *, today: date) -> Finding:
    """Say whether every region has institutions whose agreement is in force."""
    name = "institutions.agreements"
    rows = await tx.fetch(AGREEMENTS, today)
    if not rows:
        return worth_a_look(name, "还没有定点医药机构", "导入机构与协议；演示可用 yibao demo")
    without = [row["region"] for row in rows if row["valid"] == 0]
    if without:
        return wrong(name, f"{'、'.join(without)} 没有一家机构的协议在有效期内，所有结算都会被拒绝",
                     "更新协议的起止日期，或解除暂停")
    return fine(name, f"{sum(row['valid'] for row in rows)} 家机构的协议有效，共 {sum(row['all'] for row in rows)} 家")


async def check_senders(tx: Connection, settings: Settings) -> Finding:
    """Say whether every institution must prove who it is; only a demo may do without."""
    name = "institutions.senders"
    codes = [row[0] for row in await tx.fetch(UNSIGNED)]
    if codes and not settings.demo:
        return wrong(name, f"{len(codes)} 家机构不经认证即可结算：{'、'.join(codes[:_NAMES_SHOWN])}",
                     "把它们的 auth_scheme 改为 api_hmac_sha1 或 tif_sha256 并发放密钥；若这是演示环境，设置 YIBAO_DEMO=1")
    if codes:
        return fine(name, f"演示环境：{len(codes)} 家机构不经认证")
    return fine(name, "所有机构都须认证")


async def check_sealing(tx: Connection, *, now: datetime) -> Finding:
    """Say whether the worker seals the audit chain."""
    name = "audit.sealing"
    oldest: datetime | None = await tx.fetchval(OLDEST_UNSEALED)
    if oldest is not None and now - oldest > _UNSEALED_MAX:
        return worth_a_look(name, f"最早的未封存审计记录已有 {int((now - oldest).total_seconds() // 60)} 分钟",
                            "启动服务（yibao serve）后会自动封存；若服务在运行，请查看其日志")
    return fine(name, "审计记录均已及时封存")
