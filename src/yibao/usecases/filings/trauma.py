"""Read what the extension field of a message (``exp_content``, JSON text) says about an injury."""

from __future__ import annotations

from typing import Any

import msgspec

from yibao.domains.applications.model import Trauma
from yibao.kernel.refusal import Refusal, refuse

FLAG, LIABLE = "TRUM_FLAG", "REL_TTP_FLAG"
_YES_NO = {"1": True, "0": False}
_NONE = Trauma()


def trauma_of(exp_content: str | None) -> Trauma | Refusal:
    """Return what is said about an injury; nothing where the field is empty or speaks of other things.

    ``TRUM_FLAG`` 1 makes ``REL_TTP_FLAG`` mandatory. Text that is no JSON is none of our business unless it names one
    of the two flags: then it is refused, because half understood it could cost the fund or the patient a bill.
    """
    text = (exp_content or "").strip()
    if FLAG not in text.upper() and LIABLE not in text.upper():
        return _NONE
    try:
        content: Any = msgspec.json.decode(text.encode())
    except msgspec.DecodeError:
        content = None
    if isinstance(content, list) and len(content) == 1:
        content = content[0]
    if not isinstance(content, dict):
        return refuse("EXP_CONTENT_MALFORMED", "扩展字段不是有效的JSON对象，无法读取外伤标志", field="exp_content",
                      received=text[:60], remedy='请写作{"TRUM_FLAG":"1","REL_TTP_FLAG":"0"}')
    return _judge({str(name).upper(): value for name, value in content.items()})


def _judge(content: dict[str, Any]) -> Trauma | Refusal:
    flags: dict[str, bool | None] = {}
    for name in (FLAG, LIABLE):
        said = content.get(name)
        word = "" if said is None or isinstance(said, bool) else str(said).strip()
        if word and word not in _YES_NO:
            return refuse("TRAUMA_FLAG_UNKNOWN", f"{name}只能是0或1", field=f"exp_content.{name}", received=word[:20],
                          remedy="1为是，0为否")
        flags[name] = said if isinstance(said, bool) else _YES_NO.get(word)
    if not flags[FLAG]:
        return _NONE
    if flags[LIABLE] is None:
        return refuse("REL_TTP_FLAG_MISSING", "外伤标志为1时必须说明是否涉及第三方", field="exp_content.REL_TTP_FLAG",
                      remedy="请填写REL_TTP_FLAG：1涉及第三方，0不涉及")
    return Trauma(True, flags[LIABLE])
