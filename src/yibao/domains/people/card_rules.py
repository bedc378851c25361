"""What a social-security card may be used for. Pure."""

from __future__ import annotations

from yibao.kernel.refusal import Fault

SOCIAL_CARD = "03"
"""Kind of credential (``mdtrt_cert_type``): the social-security card."""
BLOCKED = {"lost": "已挂失", "replaced": "已补换新卡", "cancelled": "已注销"}
"""States of a card that may not be used, and what they are called; the office outside that issues cards says them."""
_REMEDY = {
    "lost": "请改用居民身份证，或由本人向人社部门解除挂失、补办新卡",
    "replaced": "请出示新卡，或改用居民身份证",
    "cancelled": "请改用居民身份证，或由本人向人社部门申领新卡",
}


def card_faults(cert_type: str, card_state: str, *, field: str) -> list[Fault]:
    """Return why a credential may not be used: a card that was reported lost, replaced or cancelled.

    Args:
        cert_type: kind of the credential shown; only the card can be blocked.
        card_state: ``""`` where nobody ever told of a change.
        field: where the message has the kind of credential.
    """
    if cert_type != SOCIAL_CARD or card_state not in BLOCKED:
        return []
    says = f"社会保障卡{BLOCKED[card_state]}，不能使用"
    return [Fault(f"CARD_{card_state.upper()}", says, field, cert_type, _REMEDY[card_state])]
