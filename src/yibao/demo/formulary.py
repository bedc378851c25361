"""The price list of the demo's institutions: real national codes, prices as the file says."""

from __future__ import annotations

import csv
import gzip
from decimal import Decimal
from functools import cache
from importlib import resources

import msgspec

FILE = "demo_formulary.csv"
DRUGS_AND_PIECES = ("101", "102")


class Good(msgspec.Struct, frozen=True):
    """One row of the price list.

    Attributes:
        local_code: the institution's own code, ``medins_list_codg`` on the wire.
        class_level: ``01`` to ``03``.
        price: yuan.
        pay_standard: yuan, None if there is none.
        first_pay: the file's own ratio, 0 to 1; each city has its own default beside it.
        restricted: whether the catalogue limits its use.
    """

    code: str
    local_code: str
    name: str
    list_type: str
    class_level: str
    price: Decimal
    pay_standard: Decimal | None
    first_pay: Decimal
    charge_type: str
    restricted: bool


@cache
def formulary() -> dict[str, Good]:
    """Return the price list by national code, in the order of the file."""
    goods = {}
    for ordinal, row in enumerate(csv.DictReader(_text().splitlines()), 1):
        goods[row["med_list_codg"]] = Good(
            code=row["med_list_codg"],
            local_code=f"Y{ordinal:05d}",
            name=row["name"],
            list_type=row["list_type"],
            class_level=row["chrgitm_lv"],
            price=Decimal(row["price_yuan"]),
            pay_standard=Decimal(row["pay_standard_yuan"]) if row["pay_standard_yuan"] else None,
            first_pay=Decimal(row["selfpay_prop"]),
            charge_type=row["med_chrgitm_type"],
            restricted=bool(row["restriction"]),
        )
    return goods


def _text() -> str:
    folder = resources.files("yibao").joinpath("data").joinpath("catalogues")
    packed = folder.joinpath(f"{FILE}.gz")
    if packed.is_file():
        return gzip.decompress(packed.read_bytes()).decode()
    return folder.joinpath(FILE).read_text("utf-8")
