"""A second, plain reader of the published grouping tables: text rows in, three codes out.

Written from the tables' own description (``src/yibao/data/grouping/README.md``) and not from the engine; it
imports nothing of the project. It keeps the tables as they lie in the files, asks one rule text at a time and
knows no notes, no reasons and no order but that of the ``test_order`` column.
"""

from __future__ import annotations

import csv
import gzip
import re
from pathlib import Path

FOLDER = Path(__file__).parents[2] / "src" / "yibao" / "data" / "grouping"


def rows_of(name: str) -> list[dict[str, str]]:
    """Return the rows of a table file."""
    opener = gzip.open if name.endswith(".gz") else open
    with opener(FOLDER / name, "rt", encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


class PlainReader:
    """The tables, as they are."""

    def __init__(self) -> None:
        self.mdcs = sorted(rows_of("mdc.csv"), key=lambda r: int(r["test_order"]))
        self.adrgs = sorted(rows_of("adrg.csv"), key=lambda r: (r["mdc"], int(r["test_order"])))
        self.drgs = sorted(rows_of("drg.csv"), key=lambda r: (r["adrg"], int(r["test_order"])))
        self.mdc_dx = {(r["mdc"], r["dx_code"]): r["trauma_site"] for r in rows_of("mdc_dx.csv.gz")}
        self.adrg_dx = {(r["adrg"], r["dx_code"]) for r in rows_of("adrg_dx.csv.gz")}
        self.adrg_op = {(r["adrg"], r["list_no"], r["op_code"]) for r in rows_of("adrg_op.csv.gz")}
        self.dx = {r["code"]: r for r in rows_of("diagnoses.csv.gz")}
        self.op = {r["code"]: r for r in rows_of("procedures.csv.gz")}
        self.map = {(r["kind"], r["from_code"]): r["to_code"] for r in rows_of("code_map.csv.gz")}
        listed = [code for _, code in self.mdc_dx] + [code for _, code in self.adrg_dx]
        self.upper = {
            "dx": {c.upper(): c for c in [*self.dx, *listed, *(f for k, f in self.map if k == "dx")]},
            "op": {c.upper(): c for c in [*self.op, *(f for k, f in self.map if k == "op")]},
        }

    def answer(self, row: dict[str, str]) -> tuple[str, str, str]:
        """Return MDC, ADRG and DRG of a row of a case file; three times 0000 if it fits nowhere."""
        dx = self.codes("dx", row["dx_codes"])
        op = self.codes("op", row["op_codes"])
        if dx:
            for mdc in self.mdcs:
                if self.enters(mdc, row, dx, op):
                    for adrg in self.adrgs:
                        if adrg["mdc"] == mdc["mdc"] and self.fits(adrg, row, dx, op):
                            return mdc["mdc"], adrg["adrg"], self.weigh(adrg["adrg"], dx)
        return "0000", "0000", "0000"

    def codes(self, kind: str, text: str) -> list[str]:
        """Split at the bar, forget blanks, spell as the tables do, replace old codes."""
        read = []
        for part in text.split("|"):
            if code := part.strip():
                code = self.upper[kind].get(code.upper(), code)
                read.append(self.map.get((kind, code), code))
        return read

    def operation(self, code: str) -> bool:
        """Tell whether a procedure counts as an operation."""
        return code in self.op and self.op[code]["valid_op"] == "1"

    def enters(self, mdc: dict[str, str], row: dict[str, str], dx: list[str], op: list[str]) -> bool:
        """Tell whether an MDC takes the case."""
        name, rule = mdc["mdc"], mdc["entry_rule"]
        if rule == "存在手术":
            return bool(op) and self.operation(op[0])
        if not rule.startswith("主诊断匹配") or (name, dx[0]) not in self.mdc_dx:
            return False
        rest = rule.removeprefix("主诊断匹配")
        if rest == "":
            return True
        if rest == "、男性":
            return row["gend"] == "1"
        if rest == "、女性":
            return row["gend"] == "2"
        if rest == "、婴儿":
            age, days = number(row["age"]), number(row["age_days"])
            return age == 0 or (age is None and days is not None and days <= 365)
        if rest == "、多诊断匹配":
            return len({self.mdc_dx[name, code] for code in dx if (name, code) in self.mdc_dx}) >= 2
        raise AssertionError(rule)

    def fits(self, adrg: dict[str, str], row: dict[str, str], dx: list[str], op: list[str]) -> bool:
        """Tell whether an ADRG takes the case: every word of its rule must hold."""
        return all(self.word(word, adrg["adrg"], row, dx, op) for word in adrg["entry_rule"].split("、"))

    def word(self, word: str, adrg: str, row: dict[str, str], dx: list[str], op: list[str]) -> bool:
        """Tell whether one word of a rule holds."""
        weight = number(row["birth_weight_g"]) or -1

        def done(number: str) -> bool:
            return any((adrg, number, code) in self.adrg_op for code in op)

        match word:
            case "无条件":
                return True
            case "主诊断匹配":
                return (adrg, dx[0]) in self.adrg_dx
            case "某一诊断匹配":
                return any((adrg, code) in self.adrg_dx for code in dx)
            case "主手术匹配":
                return len(op) > 0 and (adrg, "0", op[0]) in self.adrg_op
            case "双手术匹配":
                return done("0") and done("1")
            case "手术列表1或(2且3)":
                return done("1") or (done("2") and done("3"))
            case "手术列表(1且2)或(1且3且4)":
                return done("1") and (done("2") or (done("3") and done("4")))
            case "存在手术":
                return len(op) > 0 and self.operation(op[0])
            case "无手术":
                return not any(self.operation(code) for code in op)
            case "新生儿":
                days = number(row["age_days"])
                return days is not None and days <= 28
            case "体重小于1500克":
                return 0 < weight < 1500
            case "体重1500至2000克":
                return 1500 <= weight < 2000
            case "体重2000至2500克":
                return 2000 <= weight < 2500
            case "体重大于2500克":
                return weight >= 2500
        raise AssertionError(word)

    def weigh(self, adrg: str, dx: list[str]) -> str:
        """Return the first DRG of an ADRG whose severity holds."""
        own = self.dx[dx[0]]["exclusion_table"] if dx[0] in self.dx else ""
        other = [self.dx[code] for code in dx[1:] if code in self.dx]
        major = any(d["mcc_table"] and d["mcc_table"] != own for d in other)
        minor = any(d["cc_table"] and d["cc_table"] != own for d in other)
        for drg in self.drgs:
            if drg["adrg"] != adrg:
                continue
            if (
                drg["severity"] == "any"
                or (drg["severity"] == "mcc" and major)
                or (drg["severity"] == "mcc_or_cc" and (major or minor))
            ):
                return drg["drg"]
        raise AssertionError(adrg)


def number(text: str) -> int | None:
    """Return the whole part of a number from 0 on; None for anything else."""
    match = re.fullmatch(r"([0-9]{1,7})(\.[0-9]+)?", text.strip())
    return int(match[1]) if match else None
