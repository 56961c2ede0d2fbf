"""What keeps a campaign's texts from being approved."""

from campaigns.models import Campaign


def of_campaign(campaign: Campaign) -> list[str]:
    """Return one line a fault, in the reader's language; empty when the texts may go out."""
    return []
