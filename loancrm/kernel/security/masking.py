"""Masks that leave just enough of a value for a person to recognise it."""


def _mask_middle(text: str, head: int, tail: int) -> str:
    hidden = len(text) - head - tail
    if hidden <= 0:
        return "*" * len(text)
    return text[:head] + "*" * hidden + (text[-tail:] if tail else "")


def mask_name(text: str) -> str:
    """Mask all but the family name: 王小明 -> 王**, Smith -> S****."""
    return _mask_middle(text, 1, 0) if len(text) > 1 else "*" * len(text)


def mask_phone(text: str) -> str:
    """Mask the middle of a number: +8613800138000 -> +86138****8000."""
    if text.startswith("+86") and len(text) == 14:
        return text[:6] + "****" + text[-4:]
    return _mask_middle(text, 3, 2)


def mask_national_id(text: str) -> str:
    """Mask an identity number: the region's first three and the last two characters stay."""
    return _mask_middle(text, 3, 2)


def mask_email(text: str) -> str:
    """Mask the local part of an address: wang@example.com -> w***@example.com."""
    local, separator, domain = text.rpartition("@")
    if not separator:
        return _mask_middle(text, 1, 0)
    return (local[:1] + "***" if local else "") + separator + domain
