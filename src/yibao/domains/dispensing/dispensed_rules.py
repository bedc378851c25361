"""When a drug may be dispensed on a prescription: all faults at once, in a fixed order."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, time, timedelta

from yibao.domains.dispensing.dispensed_model import Kind, Prescribed, Wanted
from yibao.domains.dispensing.prescriptions_model import CANCELLED, CHECKED, FAILED, PASSED
from yibao.kernel.business_time import SHANGHAI, business_date, to_wire
from yibao.kernel.refusal import Fault


def quantity_text(quantity_e4: int) -> str:
    """Return a quantity in ten-thousandths as people write it."""
    return f"{quantity_e4 / 10_000:g}"


def dispensing_faults(
    wanted: Sequence[Wanted], prescribed: Sequence[Prescribed], *, psn_no: str, region: str, at: datetime,
    kind: Kind = "settled",
) -> list[Fault]:
    """Return why drugs must not be dispensed on their prescriptions; empty when they may.

    Args:
        prescribed: every drug of every prescription named, whoever's it is.
        region: pooling region of the pharmacy; a prescription of another city is refused.
        at: when they are dispensed.
        kind: what the quantities are.
    """
    by_number: dict[str, list[Prescribed]] = {}
    for drug in prescribed:
        by_number.setdefault(drug.hi_rxno, []).append(drug)
    faults: list[Fault] = []
    judged: set[str] = set()
    sums: dict[tuple[str, str], int] = {}
    for want in wanted:
        number_path = want.number_path or f"{want.path}.rxno"
        drugs = by_number.get(want.hi_rxno)
        if want.hi_rxno not in judged:
            judged.add(want.hi_rxno)
            faults += _number_faults(want.hi_rxno, drugs, number_path, psn_no=psn_no, region=region, at=at)
        if not drugs or drugs[0].psn_no != psn_no:
            continue
        named = next((d for d in drugs if d.item_code == want.item_code), None)
        if named is None:
            faults.append(Fault("ITEM_NOT_PRESCRIBED", "处方上没有这种药品", f"{want.path}.{want.item_field}",
                                want.item_code, "请按处方调配；需换药时请医师重新开方"))
            continue
        key = (want.hi_rxno, want.item_code)
        before, sums[key] = sums.get(key, 0), sums.get(key, 0) + want.quantity_e4
        faults += _quantity_faults(named, want, before=before, kind=kind)
    return faults


def _number_faults(
    number: str, drugs: Sequence[Prescribed] | None, path: str, *, psn_no: str, region: str, at: datetime
) -> list[Fault]:
    if not drugs:
        return [Fault("PRESCRIPTION_NOT_FOUND", "平台上没有这张电子处方", path, number, "请核对医保处方编号")]
    p = drugs[0]
    if p.psn_no != psn_no:
        return [Fault("PRESCRIPTION_OF_ANOTHER", "这张处方不是该参保人的", path, number, "请核对处方与就诊人")]
    if p.admdvs != region:
        return [Fault("PRESCRIPTION_ELSEWHERE", f"处方属于统筹区{p.admdvs}，本机构属{region}，异地处方流转尚未开通", path,
                      number, "请到开方地的定点机构取药")]
    if p.state == CHECKED:
        return [Fault("PRESCRIPTION_NOT_UPLOADED", "处方尚未签名上传，不能调配", path, number, "请由开方机构用7103上传")]
    if p.state == CANCELLED:
        return [Fault("PRESCRIPTION_CANCELLED", "处方已撤销", path, number, "请医师重新开方")]
    if p.valid_until < at:
        return [Fault("PRESCRIPTION_EXPIRED", f"处方已于{to_wire(p.valid_until)}失效", path, number, "请医师重新开方")]
    if is_before(at, p.prescribed_at):
        return [Fault("PRESCRIPTION_NOT_YET", f"处方开于{to_wire(p.prescribed_at)}，购药时间早于开方时间", path, number,
                      "请核对购药时间")]
    if p.review == FAILED:
        return [Fault("PRESCRIPTION_REVIEW_FAILED", "本机构药师审方未通过", path, number, "请联系开方医师，或重新审方")]
    if p.review != PASSED:
        return [Fault("PRESCRIPTION_NOT_REVIEWED", "本机构药师尚未审方", path, number, "请先下载处方并用7206上传审方结果")]
    if p.last_at is not None and p.interval_days and _too_soon(p, at):
        return [Fault("PRESCRIPTION_TOO_SOON", f"距上次取药不足{p.interval_days}天", path, number, "请到期后再取药")]
    return []


def is_before(at: datetime, prescribed_at: datetime) -> bool:
    """Say whether drugs would be dispensed before they were prescribed.

    Some clients send the day alone, which is taken as its midnight: midnight is compared by day.
    """
    if at.astimezone(SHANGHAI).time() == time():
        return business_date(at) < business_date(prescribed_at)
    return at < prescribed_at


def _too_soon(p: Prescribed, at: datetime) -> bool:
    assert p.last_at is not None
    last, today = business_date(p.last_at), business_date(at)
    return last != today and today < last + timedelta(days=p.interval_days)


def _quantity_faults(drug: Prescribed, want: Wanted, *, before: int, kind: Kind) -> list[Fault]:
    path, sent = f"{want.path}.{want.quantity_field}", quantity_text(want.quantity_e4)
    left = drug.room(kind) - before
    if left <= 0:
        return [Fault("PRESCRIPTION_USED_UP", "处方上这种药品已全部取完", path, sent, "不能重复取药；需要时请医师重新开方")]
    if want.quantity_e4 > left:
        return [Fault("QUANTITY_OVER_PRESCRIBED", f"超过处方剩余数量{quantity_text(left)}", path, sent,
                      "请按剩余数量调配；需要时请医师重新开方")]
    if before + want.quantity_e4 > drug.use_e4:
        return [Fault("QUANTITY_OVER_USE", f"超过处方一次用量{quantity_text(drug.use_e4)}", path, sent,
                      "复用处方请按每次用量分次调配")]
    return []
