"""Links to the preference page: which customer, and from which day the link is."""

from datetime import date, timedelta

from campaigns.domain.content.links import LinkPurpose, LinkSigner

# Long enough for the oldest message somebody may still have; opting out never expires (`/u/`).
VALID_DAYS = 400
_EPOCH = date(2020, 1, 1)


def preference_token(signer: LinkSigner, customer_id: int, *, today: date) -> str:
    """Return the token of a link that this customer may use from today on."""
    days = (today - _EPOCH).days
    return signer.token(LinkPurpose.PREFERENCES, message_id=customer_id, link_id=days)


def read_preference_token(signer: LinkSigner, token: str, *, today: date) -> int | None:
    """Return the customer id of a token; None when it was not made here or is too old."""
    target = signer.read(LinkPurpose.PREFERENCES, token)
    if target is None:
        return None
    made_on = _EPOCH + timedelta(days=target.link_id)
    return target.message_id if today <= made_on + timedelta(days=VALID_DAYS) else None
