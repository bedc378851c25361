"""Draws case files for the grouper from the published tables: one target group at a time, then dirt and nonsense.

A drawn case aims at its group and may land elsewhere: which group it belongs to is the readers' business.
"""

from __future__ import annotations

import random

from tests.twin.grouping_reader import PlainReader

Row = dict[str, str]
COLUMNS = (
    "case", "gend", "age", "age_days", "birth_weight_g", "los_days", "dscg_way", "dx_codes", "op_codes",
)
MAPPED = {"手术列表1或(2且3)": (("1",), ("2", "3")), "手术列表(1且2)或(1且3且4)": (("1", "2"), ("1", "3", "4"))}
WEIGHTS = {"体重小于1500克": (400, 1499), "体重1500至2000克": (1500, 1999), "体重2000至2500克": (2000, 2499),
           "体重大于2500克": (2500, 4500)}
EDGES = ("0", "1", "1499", "1499.5", "1999.9", "1500", "1501", "1999", "2000", "2499", "2500", "2501")


class Drawer:
    """Draws cases from a seed."""

    def __init__(self, tables: PlainReader, seed: int) -> None:
        self.t = tables
        self.chance = random.Random(seed)
        self.mdc = {row["mdc"]: row for row in tables.mdcs}
        self.mdc_dx: dict[str, list[str]] = {}
        for mdc, code in sorted(tables.mdc_dx):
            self.mdc_dx.setdefault(mdc, []).append(code)
        self.adrg_dx: dict[str, list[str]] = {}
        for adrg, code in sorted(tables.adrg_dx):
            self.adrg_dx.setdefault(adrg, []).append(code)
        self.adrg_op: dict[tuple[str, str], list[str]] = {}
        for adrg, number, code in sorted(tables.adrg_op):
            self.adrg_op.setdefault((adrg, number), []).append(code)
        self.grave = sorted(c for c, r in tables.dx.items() if r["mcc_table"])
        self.slight = sorted(c for c, r in tables.dx.items() if r["cc_table"])
        self.light = sorted(c for c, r in tables.dx.items() if not r["cc_table"] and not r["mcc_table"])
        self.all = sorted(tables.dx)
        self.real = sorted(c for c, r in tables.op.items() if r["valid_op"] == "1")
        self.unreal = sorted(c for c, r in tables.op.items() if r["valid_op"] == "0")
        self.old = {kind: sorted(f for k, f in tables.map if k == kind) for kind in ("dx", "op")}
        self.drawn = 0

    def aimed(self, adrg: Row, severity: str) -> Row:
        """Draw a case that ought to fit an ADRG at a severity."""
        pick, mdc = self.chance.choice, self.mdc[adrg["mdc"]]
        words = adrg["entry_rule"].split("、")
        listed, entry = self.adrg_dx.get(adrg["adrg"], []), self.mdc_dx.get(adrg["mdc"], [])
        if "主诊断匹配" in words:
            both = sorted(set(listed) & set(entry))
            main = pick(both or listed)
        else:
            main = pick(entry or self.light)
        others: list[str] = []
        if "某一诊断匹配" in words and self.chance.random() < 0.7:
            others.append(pick(listed))
        if "多诊断匹配" in mdc["entry_rule"]:
            others += [pick(entry) for _ in range(self.chance.randint(1, 3))]
        others += {
            "mcc": [pick(self.grave)], "mcc_or_cc": [pick(self.slight)], "any": [],
        }[severity]
        others += [pick(self.light) for _ in range(self.chance.choice((0, 0, 1, 3)))]
        self.chance.shuffle(others)
        return self._row(
            words, mdc, [main, *others], self._operations(adrg["adrg"], words), is_newborn="新生儿" in words
        )

    def _operations(self, adrg: str, words: list[str]) -> list[str]:
        pick = self.chance.choice
        extra = [pick(self.unreal) for _ in range(pick((0, 0, 1)))]
        if "主手术匹配" in words:
            return [pick(self.adrg_op[adrg, "0"]), *extra]
        if "双手术匹配" in words:
            pair = [pick(self.adrg_op[adrg, "0"]), pick(self.adrg_op[adrg, "1"])]
            self.chance.shuffle(pair)
            return [*pair, *extra]
        if "存在手术" in words:
            return [pick(self.real), *extra]
        for word, ways in MAPPED.items():
            if word in words:
                chosen = [pick(self.adrg_op[adrg, number]) for number in pick(ways)]
                self.chance.shuffle(chosen)
                return [*chosen, *extra]
        return extra

    def _row(self, words: list[str], mdc: Row, dx: list[str], op: list[str], *, is_newborn: bool) -> Row:
        chance = self.chance
        infant = "婴儿" in mdc["entry_rule"] or chance.random() < 0.02
        age = 0 if infant else chance.randint(1, 95)
        days = chance.choice((0, 3, 27, 28)) if is_newborn else (29 + chance.randrange(330) if infant else None)
        weight = ""
        for word, (low, high) in WEIGHTS.items():
            if word in words:
                weight = str(chance.randint(low, high))
        if is_newborn and not weight and chance.random() < 0.7:
            weight = str(chance.randint(400, 4500))
        sex = {"男性": "1", "女性": "2"}.get(mdc["entry_rule"].rpartition("、")[2]) or chance.choice("12")
        self.drawn += 1
        return {
            "case": f"C{self.drawn}", "gend": sex, "age": str(age), "age_days": "" if days is None else str(days),
            "birth_weight_g": weight, "los_days": str(chance.randint(1, 60)), "dscg_way": chance.choice("1234599"),
            "dx_codes": "|".join(dx), "op_codes": "|".join(op),
        }

    def dirty(self, row: Row) -> Row:
        """Return a case with one thing spoilt."""
        row, pick = dict(row), self.chance.choice
        dx, op = row["dx_codes"].split("|"), [c for c in row["op_codes"].split("|") if c]
        match pick(("case", "main", "other", "unknown op", "first op", "weight", "edge", "sex", "age", "days",
                    "blanks", "old", "old op", "none", "wrong sex", "turned", "turned op", "two", "spread")):
            case "case":
                row["dx_codes"], row["op_codes"] = pick((
                    (row["dx_codes"].lower(), row["op_codes"].upper()), (row["dx_codes"].upper(), row["op_codes"]),
                ))
            case "main":
                row["dx_codes"] = "|".join([pick(("ZZZ99.999", "A00", "K22301", "不详", "-")), *dx[1:]])
            case "other":
                row["dx_codes"] += "|Q99.99999"
            case "unknown op":
                row["op_codes"] = "|".join([*op, "99.ZZZZ"])
            case "first op":
                row["op_codes"] = "|".join(["99.ZZZZ", *op])
            case "weight":
                row["birth_weight_g"] = pick(("", "0", "轻", "-5", " "))
            case "edge":
                row["birth_weight_g"] = pick(EDGES)
            case "sex":
                row["gend"] = pick(("", "0", "9", "M"))
            case "age":
                row["age"] = pick(("", "0", "x", "1"))
            case "days":
                row["age_days"] = pick(("", "0", "28", "29", "365", "366"))
            case "blanks":
                row["dx_codes"] = " | ".join(dx) + "||"
                row["op_codes"] = "|" + row["op_codes"]
            case "old":
                dx[self.chance.randrange(len(dx))] = pick(self.old["dx"])
                row["dx_codes"] = "|".join(dx)
            case "old op":
                row["op_codes"] = "|".join([pick(self.old["op"]), *op])
            case "none":
                row["dx_codes"] = pick(("", "|", " "))
            case "wrong sex":
                row["gend"] = "1" if row["gend"] == "2" else "2"
            case "turned":
                row["dx_codes"] = "|".join(reversed(dx))
            case "turned op":
                row["op_codes"] = "|".join(reversed(op))
            case "two":
                row["dx_codes"] += "|" + pick(self.grave) + "|" + pick(self.slight)
            case "spread":
                row["age"], row["age_days"] = row["age"] + ".0", row["age_days"] and row["age_days"] + ".0"
        return row

    def random_case(self) -> Row:
        """Draw a case that aims at nothing."""
        pick, chance = self.chance.choice, self.chance
        dx = [pick(pick((self.all, self.mdc_dx[pick(sorted(self.mdc_dx))]))) for _ in range(chance.randint(1, 6))]
        op = [pick(pick((self.real, self.unreal))) for _ in range(chance.choice((0, 0, 1, 2, 4)))]
        return self._row([], {"entry_rule": ""}, dx, op, is_newborn=chance.random() < 0.05)


    def stubborn(self, adrg: Row, drg: str) -> Row | None:
        """Try every main diagnosis of an ADRG with every first procedure until the plain reader says ``drg``."""
        entry = {code for mdc, code in self.t.mdc_dx if mdc == adrg["mdc"]}
        for diagnosis in self.adrg_dx.get(adrg["adrg"], []):
            for procedure in self.adrg_op.get((adrg["adrg"], "0"), [""]) if diagnosis in entry else ():
                row = self._row([], self.mdc[adrg["mdc"]], [diagnosis], [procedure], is_newborn=False)
                if self.t.answer(row)[2] == drg:
                    return row
        return None


def draw_cases(tables: PlainReader, *, seed: int, each: int, wild: int) -> list[Row]:
    """Return ``each`` cases aimed at every group, as many dirty ones, and ``wild`` ones that aim at nothing."""
    drawer = Drawer(tables, seed)
    adrgs = {row["adrg"]: row for row in tables.adrgs}
    rows = []
    for drg in tables.drgs:
        for _ in range(each):
            row = drawer.aimed(adrgs[drg["adrg"]], drg["severity"])
            rows += [row, drawer.dirty(row) | {"case": row["case"] + "d"}]
    reached = {tables.answer(row)[2] for row in rows}
    for drg in tables.drgs:
        if drg["drg"] not in reached and (found := drawer.stubborn(adrgs[drg["adrg"]], drg["drg"])):
            rows.append(found)
    return rows + [drawer.random_case() for _ in range(wild)]
