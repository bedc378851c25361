"""What an agent may be and may do: roles that exclude each other, how keys are written, when they open."""

from __future__ import annotations

import hmac
import re
from collections.abc import Collection
from datetime import datetime, timedelta

from yibao.domains.access.agents_model import Bearer
from yibao.infra.digest import sm3
from yibao.kernel.refusal import Fault

INSTITUTION = "institution"
"""Role of an institution's own program: it acts for one institution and does nothing of the agency's."""
ROLES = {
    "intake": "受理", "review": "审核", "approve": "审批", "pay": "支付", "audit": "稽核", "admin": "管理",
    INSTITUTION: "定点医药机构",
}
_PREPARES = frozenset(("intake", "review"))
_DECIDES = frozenset(("approve", "pay"))
_ALONE = frozenset(("audit", "admin"))
_OUTSIDE = frozenset((INSTITUTION,))

KEY_LIFE_MAX = timedelta(days=366)
RATE_PER_MINUTE = 600
RATE_PER_MINUTE_MAX = 60_000

_PREFIX = "yb"
_TEXT = re.compile(r"yb_(\d{24})_([A-Za-z0-9_-]{32,64})")
_DIVISION = re.compile(r"\d{6}|\d{9}")
_LOGIN = re.compile(r"[a-z0-9][a-z0-9._-]{1,39}")


def role_faults(roles: Collection[str]) -> list[Fault]:
    """Say what is wrong with the roles of one agent: preparing and deciding are never in one hand."""
    faults = [
        Fault("ROLE_UNKNOWN", "没有这个岗位", "roles", role, f"可用：{'、'.join(ROLES)}") for role in roles if role not in ROLES
    ]
    held = frozenset(roles)
    if not held:
        faults.append(Fault("ROLES_MISSING", "须至少有一个岗位", "roles", remedy=f"可用：{'、'.join(ROLES)}"))
    if held & _PREPARES and held & _DECIDES:
        faults.append(Fault("ROLES_EXCLUDE", "受理、审核与审批、支付不得由同一人担任", "roles", " ".join(sorted(held)),
                            "请分给两个人", "经办岗位不相容原则"))
    if held & _ALONE and len(held) > 1:
        faults.append(Fault("ROLES_EXCLUDE", "稽核和管理岗位不得兼任其他岗位", "roles", " ".join(sorted(held)),
                            "请分给两个人", "经办岗位不相容原则"))
    if held & _OUTSIDE and len(held) > 1:
        faults.append(Fault("ROLES_EXCLUDE", "定点医药机构的账号不得兼任经办岗位", "roles", " ".join(sorted(held)),
                            "请分设账号", "经办岗位不相容原则"))
    return faults


def agent_faults(*, login: str, name: str, admdvs: str, regions: Collection[str], division: str) -> list[Fault]:
    """Say what is wrong with the rest of an agent's account."""
    faults = []
    if not _LOGIN.fullmatch(login):
        faults.append(Fault("LOGIN_INVALID", "登录名须为 2 至 40 位小写字母、数字、点、横线", "login", login))
    if not name.strip():
        faults.append(Fault("NAME_MISSING", "须写明姓名", "name"))
    if admdvs not in regions:
        faults.append(Fault("REGION_MISSING", "可办理的统筹区须包含账号所属统筹区", "regions", " ".join(regions)))
    if division and (not _DIVISION.fullmatch(division) or division[:4] not in {r[:4] for r in regions}):
        faults.append(Fault("DIVISION_INVALID", "区划须为所辖的县（6位）或镇（9位）", "division", division))
    return faults


def institution_faults(*, roles: Collection[str], fixmedins_code: str, division: str) -> list[Fault]:
    """Say what is wrong between an agent's role and the institution it is bound to: neither goes without the other."""
    if INSTITUTION in roles and not fixmedins_code:
        return [Fault("INSTITUTION_MISSING", "定点医药机构的账号须写明机构编号", "fixmedins_code")]
    if fixmedins_code and INSTITUTION not in roles:
        return [Fault("INSTITUTION_UNWANTED", "经办人员的账号不得绑定定点医药机构", "fixmedins_code", fixmedins_code,
                      f"请改用{ROLES[INSTITUTION]}岗位")]
    if fixmedins_code and division:
        return [Fault("DIVISION_INVALID", "定点医药机构的账号不限县镇", "division", division, "请留空")]
    return []


def key_text(key_id: str, secret: str) -> str:
    """Return a key as it is shown once and sent with every request."""
    return f"{_PREFIX}_{key_id}_{secret}"


def read_key(text: str) -> tuple[str, str] | None:
    """Return number and secret of a key, None if the text is none."""
    found = _TEXT.fullmatch(text)
    return None if found is None else (found[1], found[2])


def secret_digest(secret: str) -> bytes:
    """Return what is stored of a secret. It is random and long, so that a plain digest cannot be guessed back."""
    return sm3(b"key:" + secret.encode())


def opens(bearer: Bearer, secret: str, *, now: datetime) -> bool:
    """Say whether the secret is the key's and the key still opens something; takes as long for a wrong one."""
    is_right = hmac.compare_digest(bearer.digest, secret_digest(secret))
    is_alive = bearer.revoked_at is None and bearer.disabled_at is None and now < bearer.expires_at
    return is_right and is_alive
