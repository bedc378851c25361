"""What proofs leave behind: ``docs/proofs/NAME.json``, the page made from all of them, and which have grown old."""

from __future__ import annotations

import hashlib
import json
import os
import platform
import subprocess
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from typing import Any

from tests.proofs.platform import Result
from tests.proofs.programme import PROOFS, Part
from yibao.kernel.business_time import SHANGHAI

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "docs" / "proofs"
PAGE = ROOT / "docs" / "proofs.md"
_FIXED_SEED = 20_211_018
_HEAD = """# 证明

本页由 `make proof NAME` 生成，不手工填写数字。每一项都对着真实的 PostgreSQL 和产品自己的服务进程，经 HTTP 进行，
结束后用 `yibao verify` 的全部检查核对账目；PERT 和 TWIN 只问政策引擎，不经数据库。
列在“错”下的数必须全部为 0。小规模的同一检查在 `make test` 中运行。
"""


def seed_of_commit() -> int:
    """Return the seed that the present commit gives, or a fixed one outside a repository."""
    commit = head()
    return int(commit[:8], 16) if commit else _FIXED_SEED


def head() -> str:
    """Return the present commit, "" outside a repository."""
    return _git("rev-parse", "HEAD")


def digest_of(paths: Iterable[str]) -> str:
    """Return a digest over the content of files and folders: it stays when only the history moves."""
    found = hashlib.sha256()
    for path in sorted(paths):
        whole = ROOT / path
        files = sorted(f for f in whole.rglob("*") if f.is_file()) if whole.is_dir() else [whole]
        for file in files:
            if file.suffix != ".pyc":
                found.update(str(file.relative_to(ROOT)).encode() + b"\0" + file.read_bytes() + b"\0")
    return found.hexdigest()


def keep(proof: str, part: Part, result: Result, *, n: int, seed: int, minutes: float) -> None:
    """Write the result of one part into its proof's file; the other parts stay as they are."""
    file = FOLDER / f"{proof}.json"
    known: dict[str, Any] = json.loads(file.read_text("utf-8")) if file.exists() else {"proof": proof, "parts": {}}
    known["parts"][part.key] = {
        "tells": part.tells, "holds": result.holds, "is_full": n == part.full, "commit": head(),
        "covers": list(part.covers), "covered_digest": digest_of(part.covers),
        "date": f"{datetime.now(SHANGHAI):%Y-%m-%d %H:%M}", "seed": seed, "n": n, "done": result.done,
        "wrong": result.wrong, "minutes": round(minutes, 2),
        "machine": {"cpus": os.cpu_count(), "cpu": _cpu(), "system": platform.system(), "python": platform.python_version()},
    }
    order = [p.key for p in PROOFS[proof]]
    known["parts"] = dict(sorted(known["parts"].items(), key=lambda item: order.index(item[0])))
    FOLDER.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(known, ensure_ascii=False, indent=2) + "\n", "utf-8")


def write_page() -> None:
    """Make the page from all files."""
    PAGE.write_text("\n".join(_page()) + "\n", "utf-8")


def stale() -> list[str]:
    """Return what is not proven as the code stands: parts that are missing, small, broken or older than their code."""
    found = []
    for proof, parts in PROOFS.items():
        kept = _kept(proof)
        for part in parts:
            row = kept.get(part.key)
            name = f"make proof {proof} ({part.key})"
            if row is None:
                found.append(f"{name}: never run")
            elif not row["holds"] or not row["is_full"]:
                found.append(f"{name}: last run {'was broken' if not row['holds'] else 'was not at full size'}")
            elif row["covered_digest"] != digest_of(part.covers):
                changed = _git("log", "--format=%h", f"{row['commit']}..HEAD", "--", *part.covers).split()
                since = f"; {len(changed)} commits since {row['commit'][:8]}" if changed else ""
                found.append(f"{name}: older than the code it covers{since}")
    return found


def missing() -> list[str]:
    """Return the proofs that have no file at all."""
    return [proof for proof in PROOFS if not _kept(proof)]


def _page() -> list[str]:
    lines = _HEAD.splitlines()
    for proof in PROOFS:
        kept = _kept(proof)
        if not kept:
            continue
        lines += ["", f"## make proof {proof}", "", "| 项 | 做什么 | 规模 | 错 | 种子 | 提交 | 日期 | 分钟 |"]
        lines += ["|---|---|---|---|---|---|---|---|"]
        for key, row in kept.items():
            lines.append(
                f"| {key} {'✓' if row['holds'] else '✗'} | {row['tells']} | {_counts(row['done'])} | {_counts(row['wrong'])} |"
                f" {row['seed']} | `{row['commit'][:8]}` | {row['date']} | {row['minutes']} |"
            )
        machine = next(iter(kept.values()))["machine"]
        lines += ["", f"机器：{machine['cpus']} 核 {machine['cpu']}，{machine['system']}，Python {machine['python']}。"]
    return lines


def _counts(counts: dict[str, Any]) -> str:
    return "<br>".join(f"{name} {value}" for name, value in counts.items() if isinstance(value, (int, float, str)))


def _kept(proof: str) -> dict[str, Any]:
    file = FOLDER / f"{proof}.json"
    if not file.exists():
        return {}
    parts: dict[str, Any] = json.loads(file.read_text("utf-8"))["parts"]
    return parts


def _cpu() -> str:
    cpuinfo = Path("/proc/cpuinfo")
    for line in cpuinfo.read_text("utf-8").splitlines() if cpuinfo.exists() else []:
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()


def _git(*words: str) -> str:
    done = subprocess.run(["git", *words], cwd=ROOT, capture_output=True, text=True, check=False)
    return done.stdout.strip() if done.returncode == 0 else ""
