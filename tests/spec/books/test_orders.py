"""Reconciliation in its natural order, 3201, 9101, 3202, 9102, and in wrong ones: each is refused with its reason."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import asyncpg
import pytest

from tests.spec.books.test_difference_kinds import CLASS, ordinary
from tests.support.accountant import book_file, download, entry_of, result_rows, today, totals, upload
from tests.support.till import Refused, Till

NOBODYS = {"file_qury_no": "U" + "9" * 24, "filename": "x.zip"}


def ask(file: dict[str, Any], **more: Any) -> dict[str, Any]:
    """Return the content of a 3202 for an uploaded file."""
    return {"data": {
        "setl_optins": "370300", "file_qury_no": file["file_qury_no"], "stmt_begndate": today(), "stmt_enddate": today(),
        "medfee_sumamt": 0, "fund_pay_sumamt": 0, "cash_payamt": 0, "fixmedins_setl_cnt": 0, "clr_type": CLASS, **more,
    }}


def expire(url: str) -> None:
    """Let the time of every kept file be over."""
    async def run() -> None:
        connection = await asyncpg.connect(url)
        await connection.execute("update clearing.file set kept_until = now() - interval '1 second'")
        await connection.close()

    asyncio.run(run())


@pytest.mark.drives("3201", "3202", "9101", "9102")
def test_the_natural_order(till: Till, world: dict[str, Any]) -> None:
    patient = ordinary(till, world)[0]
    bill = till.prepare(patient, patient["visit"])
    entry = entry_of(till.call("2207", bill, insured_place=patient["insuplc_admdvs"])["setlinfo"])
    assert till.call("3201", totals(till, [], insutype=entry.insutype, clr_type=CLASS))["stmtinfo"]["stmt_rslt"] == "1"
    file = upload(till, book_file([]))
    (row,) = result_rows(download(till, till.call("3202", ask(file))["fileinfo"]))
    assert entry.setl_id in row["memo"]
    assert till.call("3201", totals(till, [entry], insutype=entry.insutype, clr_type=CLASS))["stmtinfo"]["stmt_rslt"] == "0"


def compare_before_upload(till: Till, _other: Till, _url: str) -> None:
    till.call("3202", ask(NOBODYS))


def download_before_compare(till: Till, _other: Till, _url: str) -> None:
    download(till, {"file_qury_no": "R" + "9" * 24, "filename": "x.zip"})


def compare_the_result(till: Till, _other: Till, _url: str) -> None:
    till.call("3202", ask(till.call("3202", ask(upload(till, book_file([]))))["fileinfo"]))


def compare_anothers_upload(till: Till, other: Till, _url: str) -> None:
    till.call("3202", ask(upload(other, book_file([]))))


def download_anothers_result(till: Till, other: Till, _url: str) -> None:
    download(till, other.call("3202", ask(upload(other, book_file([]))))["fileinfo"])


def compare_after_its_time(till: Till, _other: Till, url: str) -> None:
    file = upload(till, book_file([]))
    expire(url)
    till.call("3202", ask(file))


def download_after_its_time(till: Till, _other: Till, url: str) -> None:
    result = till.call("3202", ask(upload(till, book_file([]))))["fileinfo"]
    expire(url)
    download(till, result)


def compare_a_catalogue_list(till: Till, _other: Till, _url: str) -> None:
    till.call("3202", ask(till.call("1301", {"data": {"ver": "v0000"}})))


WRONG = (compare_before_upload, download_before_compare, compare_the_result, compare_anothers_upload, download_anothers_result,
         compare_after_its_time, download_after_its_time, compare_a_catalogue_list)


@pytest.mark.parametrize("order", WRONG, ids=lambda f: f.__name__)
def test_a_wrong_order_is_refused(
    till: Till, till_for: Callable[..., Till], world_url: str, order: Callable[[Till, Till, str], None]
) -> None:
    with pytest.raises(Refused, match=r"没有这个文件查询号|不是用9101上传的文件"):
        order(till, till_for(index=1), world_url)
