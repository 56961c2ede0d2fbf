"""How groups of people and what was found about them are read aloud."""

from collections.abc import Iterable

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from campaigns.domain.campaigns.fairness import (
    UNDER_AGE,
    UNKNOWN,
    FairnessAttribute,
    GroupFinding,
    UnfairGroup,
)
from customers import labels as customer_labels
from loancrm.kernel.words.vocabulary import Term, Vocabulary

FAIRNESS_ATTRIBUTES = Vocabulary(
    FairnessAttribute,
    {
        FairnessAttribute.GENDER: gettext_lazy("Gender"),
        FairnessAttribute.AGE_BAND: gettext_lazy("Age"),
        FairnessAttribute.REGION: gettext_lazy("Region"),
    },
)
GROUP_FINDINGS = Vocabulary(
    GroupFinding,
    {
        GroupFinding.REFERENCE: gettext_lazy("Chosen most often"),
        GroupFinding.FAIR: Term(gettext_lazy("In order"), tone="good"),
        GroupFinding.DOUBTFUL: Term(gettext_lazy("Low, may be chance"), tone="warn"),
        GroupFinding.UNFAIR: Term(gettext_lazy("Too rarely chosen"), tone="bad"),
        GroupFinding.TOO_SMALL: gettext_lazy("Too few people to judge"),
        GroupFinding.NOT_JUDGED: gettext_lazy("Not judged"),
    },
)


def group(attribute: FairnessAttribute | str, name: str) -> str:
    """Return a group in words."""
    if name == UNKNOWN:
        return _("not known")
    if attribute == FairnessAttribute.GENDER:
        return str(customer_labels.GENDERS.label(name))
    if attribute == FairnessAttribute.AGE_BAND and name == UNDER_AGE:
        return _("under 18")
    return name


def groups(found: Iterable[UnfairGroup]) -> str:
    """Return groups with their impact ratios in words."""
    return _("; ").join(
        _("%(attribute)s %(group)s %(ratio)s")
        % {
            "attribute": FAIRNESS_ATTRIBUTES.label(one.attribute),
            "group": group(one.attribute, one.group),
            "ratio": f"{one.ratio:.2f}",
        }
        for one in found
    )
