"""Details of drugs that left a pharmacy on a prescription (7207), and voiding them (7208)."""

from __future__ import annotations

from datetime import datetime

import asyncpg
import msgspec

from yibao.domains.dispensing import dispensed_operations as operations
from yibao.domains.dispensing import prescriptions_queries as queries
from yibao.domains.dispensing.dispensed_model import HandedOut, Wanted
from yibao.domains.dispensing.dispensed_queries import list_handed_out, list_prescribed
from yibao.domains.dispensing.dispensed_rules import dispensing_faults, is_before
from yibao.domains.institutions.model import Institution
from yibao.infra.database import Connection
from yibao.kernel.business_time import to_wire
from yibao.kernel.refusal import Refusal, refuse


class HandOutCommand(msgspec.Struct, frozen=True):
    """A drug that left the pharmacy; quantity in ten-thousandths.

    Attributes:
        review_sn: number that the pharmacy's passed review got, ``""`` in the form of 2021, which has none.
        is_insured: part of a bill settled here; such boxes are told of twice and counted once.
    """

    hi_rxno: str
    review_sn: str
    item_code: str
    quantity_e4: int
    is_insured: bool
    at: datetime
    document: str


async def hand_out(
    tx: Connection, *, command: HandOutCommand, institution: Institution, stoout_sn: str, now: datetime
) -> HandedOut | Refusal:
    """Keep what left the pharmacy, never more than what is left of the prescription."""
    found = await queries.find_prescription(tx, command.hi_rxno, lock=True)
    if found is None:
        return _unknown(command.hi_rxno)
    if command.review_sn:
        review = await queries.find_by_review(
            tx, psn_no=found["psn_no"], hi_rxno=command.hi_rxno, fixmedins_code=institution.fixmedins_code,
            review_sn=command.review_sn,
        )
        if review is None:
            return refuse("REVIEW_NOT_FOUND", "本机构没有这个审核业务流水号", field="data.rxChkBizSn",
                          received=command.review_sn, remedy="请先用7206上传审方结果")
    if is_before(command.at, found["prescribed_at"]) or command.at > now:
        return refuse("HANDED_OUT_AT_NO_TIME", "销售出库时间须在开方之后、现在之前", field="rxSaleDrugDetl.stooutTime",
                      received=to_wire(command.at), remedy="请核对出库时间")
    wanted = Wanted(command.hi_rxno, command.item_code, command.quantity_e4, "rxSaleDrugDetl", "data.hiRxno",
                    "medListCodg", "drugTotlcnt")
    drugs = await list_prescribed(tx, [command.hi_rxno], pharmacy=institution.fixmedins_code)
    faults = dispensing_faults(
        [wanted], drugs, psn_no=found["psn_no"], region=institution.region, at=now,
        kind="issued" if command.is_insured else "cash",
    )
    if command.quantity_e4 <= 0:
        return refuse("QUANTITY_NOT_POSITIVE", "数量须大于0", field="rxSaleDrugDetl.drugTotlcnt", remedy="请核对数量")
    if faults:
        return Refusal(tuple(faults))
    handed_out = HandedOut(
        found["psn_no"], stoout_sn, found["admdvs"], command.hi_rxno, command.item_code, institution.fixmedins_code,
        command.quantity_e4, command.is_insured, command.at, "taken", command.document,
    )
    await operations.hand_out(tx, handed_out)
    return handed_out


async def take_back(
    tx: Connection, *, hi_rxno: str, stoout_sn: str, institution: Institution
) -> asyncpg.Record | Refusal:
    """Void one detail, or with ``""`` all of this pharmacy whose drugs are not settled; return the prescription."""
    found = await queries.find_prescription(tx, hi_rxno, lock=True)
    if found is None:
        return _unknown(hi_rxno)
    here = institution.fixmedins_code
    told = await list_handed_out(tx, psn_no=found["psn_no"], hi_rxno=hi_rxno, pharmacy=here)
    drugs = {d.item_code: d for d in await list_prescribed(tx, [hi_rxno], pharmacy=here)}

    def is_settled(row: asyncpg.Record) -> bool:
        drug = drugs[row["item_code"]]
        return bool(row["is_insured"]) and drug.settled_e4 > drug.issued_e4 - row["quantity_e4"]

    named = [r for r in told if r["stoout_sn"] == stoout_sn] if stoout_sn else [r for r in told if not is_settled(r)]
    if not named:
        return refuse("HANDED_OUT_NOT_FOUND", "本机构没有可撤销的出库明细", field="data.selStooutSn", received=stoout_sn,
                      remedy="请核对销售出库流水号；已结算的请先用2103撤销结算")
    if stoout_sn and is_settled(named[0]):
        return refuse("STILL_SETTLED", "这些药品已结算，不能撤销出库明细", field="data.selStooutSn", received=stoout_sn,
                      remedy="请先用2103撤销结算")
    await operations.take_back(
        tx, psn_no=found["psn_no"], hi_rxno=hi_rxno, serials=[r["stoout_sn"] for r in named]
    )
    return found


def _unknown(hi_rxno: str) -> Refusal:
    return refuse("PRESCRIPTION_NOT_FOUND", "平台上没有这张电子处方", field="data.hiRxno", received=hi_rxno,
                  remedy="请核对医保处方编号")
