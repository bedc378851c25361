"""What a doctor did about warnings (3103): went on, with a reason, or changed the order."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import msgspec

from yibao.domains.supervision import operations
from yibao.domains.supervision.model import STAGE_WORDS
from yibao.domains.supervision.queries import lock_hits
from yibao.infra.database import Connection
from yibao.kernel.refusal import Fault, Refusal, refuse

REASON_MAX = 500


class AnswerInput(msgspec.Struct, frozen=True):
    """An answer to one warning; ``goes_on`` overrides it and needs a reason."""

    hit_id: str
    goes_on: bool
    reason: str


async def answer_warnings(
    tx: Connection, *, stage: str, answers: Sequence[AnswerInput], fixmedins_code: str, opter: str, now: datetime
) -> str | Refusal:
    """Keep the answers, all or none, and return the person whom they are about first.

    A warning is answered once. One of another stage, of another institution, or unknown is refused.
    """
    if not answers:
        return refuse("NO_ANSWERS", "没有处理数据", field="data.warns", remedy="请上传至少一条处理结果")
    hits = await lock_hits(tx, fixmedins_code=fixmedins_code, hit_ids=[a.hit_id for a in answers])
    faults: list[Fault] = []
    seen: set[str] = set()
    for place, answer in enumerate(answers):
        at = f"data.warns[{place}]"
        hit = hits.get(answer.hit_id)
        if hit is None:
            faults.append(Fault("WARNING_NOT_FOUND", "本机构没有这条违规提示", f"{at}.warn_rslt_id", answer.hit_id,
                                "请使用3101或3102返回的jr_id"))
            continue
        if hit["stage"] != stage:
            faults.append(Fault("WARNING_OF_OTHER_STAGE", f"这条提示来自{STAGE_WORDS[hit['stage']]}审核",
                                f"{at}.warn_rslt_id", answer.hit_id, "请按来源填写反馈类型"))
        if hit["state"] != "open" or answer.hit_id in seen:
            faults.append(Fault("WARNING_ANSWERED", "这条提示已反馈过，不能更改", f"{at}.warn_rslt_id", answer.hit_id,
                                "修改医嘱后请重新审核"))
        if answer.goes_on and not answer.reason.strip():
            faults.append(Fault("REASON_MISSING", "继续执行医嘱须写明原因", f"{at}.dspo_way_rea", "", "请填写处理原因"))
        if len(answer.reason) > REASON_MAX:
            faults.append(Fault("REASON_TOO_LONG", f"处理原因最多{REASON_MAX}字", f"{at}.dspo_way_rea",
                                f"{len(answer.reason)}字", "请精简"))
        seen.add(answer.hit_id)
    if faults:
        return Refusal(tuple(faults))
    for answer in answers:
        await operations.answer_hit(
            tx, psn_no=hits[answer.hit_id]["psn_no"], hit_id=answer.hit_id,
            state="continued" if answer.goes_on else "revised", answer=answer.reason.strip(), at=now, by=opter,
        )
    return str(hits[answers[0].hit_id]["psn_no"])
