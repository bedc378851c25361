"""Types that many routes share: what numbers and codes look like, how many rows come at once."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

PsnNo = Annotated[str, Meta(min_length=1, max_length=32, pattern=r"^[0-9A-Za-z]+$", description="人员编号")]
EmpNo = Annotated[str, Meta(min_length=1, max_length=32, pattern=r"^[0-9A-Za-z]+$", description="单位编号")]
Id = Annotated[str, Meta(min_length=1, max_length=80, pattern=r"^[0-9A-Za-z:._#-]+$", description="编号")]
Region = Annotated[str, Meta(pattern=r"^[0-9]{6}$", description="统筹区（6位区划）")]
Division = Annotated[str, Meta(pattern=r"^([0-9]{6}|[0-9]{9})?$", description="县（6位）或镇（9位），空为全部")]
Insutype = Annotated[str, Meta(pattern=r"^[0-9]{3}$", description="险种：310 职工，390 居民")]
Words = Annotated[str, Meta(min_length=1, max_length=500)]
MaybeWords = Annotated[str, Meta(max_length=500)]
Limit = Annotated[int, Meta(ge=1, le=200, description="最多返回多少条")]
