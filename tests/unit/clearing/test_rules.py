"""One person is one person however the name is typed."""

from __future__ import annotations

import pytest

from yibao.domains.clearing.rules import same_person


@pytest.mark.parametrize(("one", "other", "same"), [
    ("王芳", "王芳", True), ("王芳", " 王 芳 ", True), ("王芳", "王\u3000芳", True), ("Wang", "ＷＡＮＧ", True),
    ("王芳", "王方", False), ("", "王芳", False),
])
def test_names(one: str, other: str, same: bool) -> None:
    assert same_person(one, other) is same
