"""Makes the sample weights and packets under ``src/yibao/data/payments``. Run from the project's root.

Both are invented where no public table exists, by a rule that anybody can follow, and marked so row by row:

- a group's weight is Harbin's of 2024 where that city has a group of the same code; else the mean weight of the
  groups of the same core group, else of the same category, made 30 % dearer with MCC and 30 % cheaper without any.
- a packet of the first three characters of the main diagnosis and the kind of treatment scores a hundred times the
  mean sample weight of the core groups that take such diagnoses: those with a procedure rule for an operation, the
  others for conservative treatment; a treatment without operation lies half way.
"""

from __future__ import annotations

import csv
import gzip
import io
from collections import defaultdict
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path

DATA = Path("src/yibao/data")
CITY, YEAR = "哈尔滨", "2024"
STEP = Decimal("0.0001")
FACTORS = {"mcc": Decimal("1.3"), "mcc_or_cc": Decimal(1), "any": Decimal("0.7")}
TREATMENTS = {"conservative": "保守治疗", "procedure": "操作治疗", "operation": "手术治疗"}


def rows_of(path: Path) -> list[dict[str, str]]:
    """Return the rows of a table."""
    content = path.read_bytes()
    text = (gzip.decompress(content) if path.suffix == ".gz" else content).decode("utf-8")
    return list(csv.DictReader(io.StringIO(text, newline="")))


def mean(values: list[Decimal]) -> Decimal:
    """Return the mean to four decimals."""
    return (sum(values) / len(values)).quantize(STEP, ROUND_HALF_UP)


def weights() -> dict[str, tuple[Decimal, str]]:
    """Return group -> (weight, where it comes from)."""
    known = {r["drg"]: Decimal(r["weight"]) for r in rows_of(DATA / "grouping/weights.csv")
             if (r["city"], r["year"]) == (CITY, YEAR)}
    groups = rows_of(DATA / "grouping/drg.csv")
    by_core: dict[str, list[Decimal]] = defaultdict(list)
    by_category: dict[str, list[Decimal]] = defaultdict(list)
    for group in groups:
        if group["drg"] in known:
            by_core[group["adrg"]].append(known[group["drg"]])
            by_category[group["mdc"]].append(known[group["drg"]])
    found = {}
    for group in groups:
        code = group["drg"]
        if code in known:
            found[code] = (known[code], f"{CITY}{YEAR}")
            continue
        basis = by_core.get(group["adrg"]) or by_category.get(group["mdc"]) or list(known.values())
        factor = FACTORS[group["severity"]] if not code.endswith("9") else Decimal(1)
        found[code] = ((mean(basis) * factor).quantize(STEP, ROUND_HALF_UP), "assumed")
    return found


def packets(weight_of: dict[str, tuple[Decimal, str]]) -> list[list[str]]:
    """Return the rows of the packet table."""
    cores = {r["adrg"]: r for r in rows_of(DATA / "grouping/adrg.csv")}
    weight_of_core: dict[str, list[Decimal]] = defaultdict(list)
    for group in rows_of(DATA / "grouping/drg.csv"):
        weight_of_core[group["adrg"]].append(weight_of[group["drg"]][0])
    surgical: dict[str, list[Decimal]] = defaultdict(list)
    for adrg, row in cores.items():
        if "手术匹配" in row["entry_rule"]:
            surgical[row["mdc"]].append(mean(weight_of_core[adrg]))
    medical: dict[str, list[Decimal]] = defaultdict(list)
    category: dict[str, str] = {}
    for row in rows_of(DATA / "grouping/adrg_dx.csv.gz"):
        if "手术" not in cores[row["adrg"]]["entry_rule"]:
            medical[row["dx_code"][:3]].append(mean(weight_of_core[row["adrg"]]))
            category.setdefault(row["dx_code"][:3], cores[row["adrg"]]["mdc"])
    names = {r["code"][:3]: r["name"] for r in reversed(rows_of(DATA / "grouping/diagnoses.csv.gz"))}
    lines = []
    for code in sorted(medical):
        low = mean(medical[code])
        high = max(mean(surgical.get(category[code]) or [low]), low)
        scores = {"conservative": low, "procedure": (low + high) / 2, "operation": high}
        for treatment, score in scores.items():
            points = (score * 100).quantize(Decimal("0.01"), ROUND_HALF_UP)
            lines.append([f"{code}:{treatment[0].upper()}", f"{names[code]}等（{code}）-{TREATMENTS[treatment]}",
                          "comprehensive", code, treatment, "", str(points), "assumed"])
    return lines


CORE_PACKETS = (
    # Chosen by hand to show the form: everyday pairs of a diagnosis and a procedure; the scores are invented.
    ("K35.8", "47.01", "急性阑尾炎-腹腔镜下阑尾切除术", "62.00"),
    ("K35.8", "47.09", "急性阑尾炎-阑尾切除术", "55.00"),
    ("K80.1", "51.23", "胆囊结石伴胆囊炎-腹腔镜下胆囊切除术", "98.00"),
    ("K80.2", "51.23", "胆囊结石-腹腔镜下胆囊切除术", "92.00"),
    ("H25.9", "13.41+13.71", "老年性白内障-超声乳化抽吸加人工晶体植入", "48.00"),
    ("I21.4", "36.06", "急性心内膜下心肌梗死-冠状动脉支架植入", "310.00"),
    ("I20.0", "36.07", "不稳定性心绞痛-药物涂层支架植入", "265.00"),
    ("O82.0", "74.1", "择期剖宫产-子宫下段剖宫产", "68.00"),
    ("O80.0", "75.6", "头位顺产-产科裂伤修补", "36.00"),
    ("K40.9", "53.0", "单侧腹股沟疝-疝修补术", "58.00"),
    ("M17.1", "81.54", "单侧原发性膝关节病-全膝关节置换", "420.00"),
    ("S72.0", "81.52", "股骨颈骨折-部分髋关节置换", "330.00"),
    ("J18.9", "", "肺炎-保守治疗", "52.00"),
    ("I63.9", "", "脑梗死-保守治疗", "85.00"),
    ("J44.1", "", "慢性阻塞性肺病急性加重-保守治疗", "70.00"),
)


def main() -> None:
    """Write both tables."""
    weight_of = weights()
    with (DATA / "payments/weights_370300.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["drg", "weight", "source"])
        writer.writerows([code, str(weight), source] for code, (weight, source) in weight_of.items())
    with (DATA / "payments/packets_441300.csv.gz").open("wb") as raw, gzip.GzipFile(
        filename="", mode="wb", fileobj=raw, mtime=0
    ) as packed, io.TextIOWrapper(packed, encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["packet", "name", "kind", "diagnosis", "treatment", "procedures", "score", "source"])
        for diagnosis, procedures, name, score in CORE_PACKETS:
            packet = f"{diagnosis}:{procedures or '0'}"
            treatment = "" if procedures else "conservative"
            writer.writerow([packet, name, "core", diagnosis, treatment, procedures, score, "assumed"])
        writer.writerows(packets(weight_of))


if __name__ == "__main__":
    main()
