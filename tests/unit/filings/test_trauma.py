"""What the extension field says about an injury, and what is refused because half understood it could cost a bill."""

from __future__ import annotations

import pytest

from yibao.domains.applications.model import Trauma
from yibao.kernel.refusal import Refusal
from yibao.usecases.filings.trauma import trauma_of

NOTHING = Trauma(False, None)


@pytest.mark.parametrize(
    ("text", "trauma"),
    [
        (None, NOTHING),
        ("", NOTHING),
        ("  ", NOTHING),
        ("{}", NOTHING),
        ('{"IPT_TYPE": "2"}', NOTHING),
        ("手术时间 2026-01-01", NOTHING),  # some clients write free text here
        ("{broken", NOTHING),
        ('{"TRUM_FLAG": "0"}', NOTHING),
        ('{"TRUM_FLAG": "0", "REL_TTP_FLAG": "1"}', NOTHING),
        ('{"TRUM_FLAG": "", "REL_TTP_FLAG": ""}', NOTHING),
        ('{"REL_TTP_FLAG": "1"}', NOTHING),
        ('{"TRUM_FLAG": "1", "REL_TTP_FLAG": "0"}', Trauma(True, False)),
        ('{"TRUM_FLAG": "1", "REL_TTP_FLAG": "1"}', Trauma(True, True)),
        ('{"TRUM_FLAG": 1, "REL_TTP_FLAG": 0}', Trauma(True, False)),
        ('{"TRUM_FLAG": true, "REL_TTP_FLAG": false}', Trauma(True, False)),
        ('{"trum_flag": " 1 ", "rel_ttp_flag": "1", "MDTRT_GRP_TYPE": "1"}', Trauma(True, True)),
        ('[{"TRUM_FLAG": "1", "REL_TTP_FLAG": "0"}]', Trauma(True, False)),
    ],
)
def test_what_is_said(text: str | None, trauma: Trauma) -> None:
    assert trauma_of(text) == trauma


@pytest.mark.parametrize(
    ("text", "code", "field"),
    [
        ('{"TRUM_FLAG": "1"}', "REL_TTP_FLAG_MISSING", "exp_content.REL_TTP_FLAG"),
        ('{"TRUM_FLAG": "1", "REL_TTP_FLAG": null}', "REL_TTP_FLAG_MISSING", "exp_content.REL_TTP_FLAG"),
        ('{"TRUM_FLAG": "2"}', "TRAUMA_FLAG_UNKNOWN", "exp_content.TRUM_FLAG"),
        ('{"TRUM_FLAG": "1", "REL_TTP_FLAG": "是"}', "TRAUMA_FLAG_UNKNOWN", "exp_content.REL_TTP_FLAG"),
        ('{"TRUM_FLAG": [1]}', "TRAUMA_FLAG_UNKNOWN", "exp_content.TRUM_FLAG"),
        ('{"TRUM_FLAG": "1"', "EXP_CONTENT_MALFORMED", "exp_content"),
        ("TRUM_FLAG=1", "EXP_CONTENT_MALFORMED", "exp_content"),
        ('"TRUM_FLAG"', "EXP_CONTENT_MALFORMED", "exp_content"),
        ('[{"TRUM_FLAG": "1"}, {"TRUM_FLAG": "0"}]', "EXP_CONTENT_MALFORMED", "exp_content"),
    ],
)
def test_what_is_refused(text: str, code: str, field: str) -> None:
    refusal = trauma_of(text)
    assert isinstance(refusal, Refusal)
    assert (refusal.code, refusal.faults[0].field) == (code, field)
