"""The parts of the catalogue as files: which columns, which table, which key."""

from __future__ import annotations

from datetime import date
from typing import Any

import msgspec

from yibao.domains.catalogue import rules
from yibao.domains.catalogue.rules import Parser, RowCheck


class Column(msgspec.Struct, frozen=True):
    """A column of a catalogue file.

    Attributes:
        parse: turns the text of a cell into its value.
        required: an empty cell is refused.
        empty: value of an empty cell, or of a column that the file does not have.
        into: column of the table when it is called differently there.
    """

    name: str
    parse: Parser
    required: bool = False
    empty: Any = ""
    into: str = ""

    @property
    def target(self) -> str:
        """Return the table's column."""
        return self.into or self.name


class Part(msgspec.Struct, frozen=True):
    """One kind of catalogue file and the table it fills.

    Attributes:
        constants: columns of the table that the file does not have, with their value.
        key: columns that name a row.
        checks: judgements over a whole row.
        has_initials: the table keeps the pinyin initials of the name.
        of_items: columns that name items, which must be there.
        by_period: rows of one key without ``valid_from`` must not overlap in time.
        has_history: a row of a later edition moves the one before it to the former ones.
    """

    name: str
    title: str
    table: str
    columns: tuple[Column, ...]
    key: tuple[str, ...] = ("code",)
    constants: tuple[tuple[str, str], ...] = ()
    checks: tuple[RowCheck, ...] = ()
    has_initials: bool = False
    of_items: tuple[str, ...] = ()
    by_period: bool = False
    has_history: bool = False

    @property
    def table_columns(self) -> tuple[str, ...]:
        """Return the table's columns in the order rows are copied."""
        names = [column.target for column in self.columns] + [name for name, _ in self.constants]
        return (*names, "initials") if self.has_initials else tuple(names)


_VALID = (
    Column("valid_from", rules.day, required=True, empty=date.min),
    Column("valid_to", rules.day, empty=None),
)
_VERSION = Column("version", rules.shaped(rules.VERSION, "版本号", "v20250101"), required=True)
_NAME = Column("name", rules.text(500), required=True)


def _item_part(name: str, title: str, list_type: str, code: Parser) -> Part:
    return Part(
        name, title, "catalogue.item",
        (
            Column("code", code, required=True), _NAME, Column("spec", rules.text(500)),
            Column("dosage_form", rules.text(500)), Column("unit", rules.text(100)),
            Column("maker", rules.text(200)), Column("approval_no", rules.text(100)),
            Column("class_code", rules.text(40)),
            Column("charge_type", rules.shaped(rules.CHARGE_TYPE, "医疗收费项目类别", "09"), required=True),
            Column("origin", rules.one_of(national="国家目录", demo="示例数据"), required=True),
            Column("negotiated", rules.flag, empty=False), *_VALID, _VERSION,
            Column("detail", rules.json_object, empty="{}"),
        ),
        constants=(("list_type", list_type),), checks=(rules.check_period, rules.check_reserved),
        has_initials=True, has_history=True,
    )


def _coded_list(name: str, title: str, table: str, code: Parser) -> Part:
    columns = (Column("code", code, required=True), _NAME, *_VALID, _VERSION)
    return Part(name, title, table, columns, checks=(rules.check_period,), has_initials=True)


_ITEM_CODE = rules.shaped(rules.ITEM, "医疗目录", "XA01ABD075A002010100483")
_REGION = Column("admdvs", rules.shaped(rules.DIVISION, "医保区划", "370300"), required=True)
_SOURCE = (
    Column("source", rules.text(300), required=True),
    Column("assumed", rules.flag, required=True, empty=True),
)
_DRUG_CODE = rules.shaped(rules.DRUG, "药品", "XA01ABD075A002010100483（20或23位）")
_SERVICE_CODE = rules.shaped(rules.SERVICE, "医疗服务项目", "001102000000100（15位）")
_CONSUMABLE_CODE = rules.shaped(rules.CONSUMABLE, "医用耗材", "C0325090899900000001（20或27位）")

DRUGS = _item_part("drugs", "西药中成药", "101", _DRUG_CODE)
PIECES = _item_part("pieces", "中药饮片", "102", rules.shaped(rules.PIECE, "中药饮片", "T990000001"))
SERVICES = _item_part("services", "医疗服务项目", "201", _SERVICE_CODE)
CONSUMABLES = _item_part("consumables", "医用耗材", "301", _CONSUMABLE_CODE)

TERMS = Part(
    "terms", "医保目录（各统筹区支付类别）", "catalogue.term",
    (
        _REGION, Column("code", _ITEM_CODE, required=True), *_VALID,
        Column("class_level", rules.one_of(_01="甲类", _02="乙类", _03="丙类"), required=True),
        Column("restricted", rules.flag, empty=False), Column("restriction", rules.text(2000)),
        Column("first_pay", rules.ratio, empty=None), *_SOURCE,
    ),
    key=("admdvs", "code", "valid_from"), checks=(rules.check_period, rules.check_restriction),
    of_items=("code",), by_period=True,
)
PRICE_LIMITS = Part(
    "price_limits", "医保支付标准（限价）", "catalogue.price_limit",
    (
        _REGION, Column("code", _ITEM_CODE, required=True),
        Column("level", rules.one_of(_1="一级及以下", _2="二级", _3="三级"), required=True), *_VALID,
        Column("limit_yuan", rules.price, required=True, empty=0, into="limit_micro"), *_SOURCE,
    ),
    key=("admdvs", "code", "level", "valid_from"), checks=(rules.check_period,),
    of_items=("code",), by_period=True,
)
SUCCESSORS = Part(
    "successors", "停用编码与接替编码", "catalogue.successor",
    (
        Column("code", _ITEM_CODE, required=True), Column("successor", _ITEM_CODE, required=True), _VALID[0],
        Column("source", rules.text(300), required=True),
    ),
    key=("code", "successor"), checks=(rules.check_successor,), of_items=("code", "successor"),
)
_DIAGNOSIS_CODE = rules.shaped(rules.DIAGNOSIS, "疾病诊断", "I10.x00x002")
_PROCEDURE_CODE = rules.shaped(rules.PROCEDURE, "手术操作", "47.0100x001")
_TCM_KIND = rules.one_of(tumour="肿瘤形态学", tcm_disease="中医疾病", tcm_syndrome="中医证候")

DIAGNOSES = _coded_list("diagnoses", "疾病诊断", "catalogue.diagnosis", _DIAGNOSIS_CODE)
PROCEDURES = _coded_list("procedures", "手术操作", "catalogue.procedure", _PROCEDURE_CODE)
CHRONIC_DISEASES = Part(
    "chronic_diseases", "门诊慢特病病种", "catalogue.chronic_disease",
    (
        Column("code", rules.shaped(rules.CHRONIC_DISEASE, "门诊慢特病病种", "M03900"), required=True), _NAME,
        Column("kind", rules.text(100)), *_VALID, _VERSION,
    ),
    checks=(rules.check_period,),
)
TCM_CLASSES = Part(
    "tcm_classes", "肿瘤形态学、中医病证分类", "catalogue.tcm_class",
    (
        Column("code", rules.shaped(rules.TCM_CLASS, "肿瘤形态学或中医病证", "BEA"), required=True), _NAME,
        Column("kind", _TCM_KIND, required=True), _VERSION,
    ),
)

PARTS: dict[str, Part] = {
    part.name: part
    for part in (
        DRUGS, PIECES, SERVICES, CONSUMABLES, TERMS, PRICE_LIMITS, SUCCESSORS,
        DIAGNOSES, PROCEDURES, CHRONIC_DISEASES, TCM_CLASSES,
    )
}
"""All parts, in the order in which they can be loaded."""
