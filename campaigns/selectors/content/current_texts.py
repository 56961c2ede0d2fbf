"""The texts of a campaign as they would be sent now, each where it is used.

A variant that follows the message has no text of its own. Which text is used instead is decided
here and nowhere else, whenever it is read: by approvals, checks, forecasts, previews and workers.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from campaigns.domain.content.written import LOCALES
from campaigns.models import Campaign, Channel, ContentVersion, Step, Touchpoint, Variant


@dataclass(frozen=True, slots=True)
class CurrentText:
    """A text in one language, in the variant in which it is used.

    Attributes:
        variant: Who gets it, with its touchpoint and channel.
        written: The stored text; of another variant where this one follows the message.
    """

    variant: Variant
    written: ContentVersion

    @property
    def locale(self) -> str:
        """Return its language."""
        return self.written.locale

    @property
    def channel(self) -> Channel | None:
        """Return the channel through which it goes."""
        return self.variant.touchpoint.channel

    @property
    def is_email(self) -> bool:
        """Return whether it goes out as an e-mail."""
        return self.channel is not None and self.channel.kind == "email"


def of_campaign(campaign: Campaign | int) -> list[CurrentText]:
    """Return every text of a campaign, message before fallback, in two queries."""
    variants = list(
        Variant.objects.filter(touchpoint__step__campaign=campaign)
        .select_related("touchpoint__channel", "touchpoint__step__campaign")
        .order_by("touchpoint__step__position", "key")
    )
    written: dict[int, list[ContentVersion]] = defaultdict(list)
    rows = ContentVersion.objects.filter(
        variant__touchpoint__step__campaign=campaign, is_current=True
    )
    for row in rows.order_by("locale"):
        written[row.variant_id].append(row)
    return [
        CurrentText(variant, row)
        for variant in variants
        for row in sorted(
            written[message_behind(variant, variants).pk],
            key=lambda row: LOCALES.index(row.locale) if row.locale in LOCALES else len(LOCALES),
        )
    ]


def of_touchpoint(touchpoint: Touchpoint) -> list[CurrentText]:
    """Return the texts of one touchpoint; of a campaign's step, those that it follows too."""
    step = Step.objects.filter(touchpoint=touchpoint).first()
    if step is not None:
        texts = of_campaign(step.campaign_id)
        return [text for text in texts if text.variant.touchpoint_id == touchpoint.pk]
    rows = ContentVersion.objects.filter(variant__touchpoint=touchpoint, is_current=True)
    related = rows.select_related("variant__touchpoint__channel").order_by("variant__key", "locale")
    return [CurrentText(row.variant, row) for row in related]


def message_behind(variant: Variant, variants: Sequence[Variant]) -> Variant:
    """Return the variant whose text is used for one: its own, or that of the message.

    A fallback follows the variant of the same key of the message before it, so that everybody gets
    the text that she was to get first; any other follows the first variant of its step.

    Args:
        variant: The variant in question.
        variants: All variants of its campaign.
    """
    if not variant.follows_message:
        return variant
    step = variant.touchpoint.step
    if not step.is_fallback:
        own = (v for v in variants if v.touchpoint_id == variant.touchpoint_id)
        return min(own, key=lambda v: v.key)
    earlier = [
        other
        for other in variants
        if not other.touchpoint.step.is_fallback and other.touchpoint.step.position < step.position
    ]
    if not earlier:
        return variant
    last = max(other.touchpoint.step.position for other in earlier)
    arms = sorted((v for v in earlier if v.touchpoint.step.position == last), key=lambda v: v.key)
    same = next((arm for arm in arms if arm.key == variant.key), arms[0])
    return arms[0] if same.follows_message else same
