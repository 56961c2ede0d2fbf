"""Why one person has the probability they have."""

from dataclasses import dataclass
from datetime import datetime

import numpy as np

from analytics.domain.modelling.life.choices import ModelPurpose, TrainingChoices
from analytics.models import ModelVersion
from analytics.selectors.modelling import features
from analytics.selectors.modelling.columns import columns_for
from analytics.services.modelling import artefacts, scoring
from analytics.services.modelling.errors import ModelRefused
from customers.models import Customer
from loancrm.kernel.access import Actor
from loancrm.kernel.acting import acting
from loancrm.kernel.words.phrases import gettext as _

SEES = "customers.view_customer"


@dataclass(frozen=True, slots=True)
class Explanation:
    """What a version says of one person, as it reckons now.

    Attributes:
        reasons: Up to four features, first where most points were lost, with the value it read;
            None where it is unknown.
    """

    customer: Customer
    probability: float
    points: float
    band: str
    reasons: tuple[tuple[str, str | float | None], ...]


def explain(*, actor: Actor, version: ModelVersion, external_id: str, now: datetime) -> Explanation:
    """Return what a version says of a person now, and why; the look is recorded.

    Raises:
        PermissionRefused: The actor may not see customers.
        ModelRefused: There is no such person, or they switched personal recommendations off.
        StoredModelChanged: The version is not what was trained.
    """
    act = acting(actor, SEES, now=now)
    person = Customer.objects.live().filter(external_id=external_id.strip()).first()
    if person is None:
        raise ModelRefused(_("There is no customer with this number."))
    if not person.personalisation_allowed:
        raise ModelRefused(
            _("This person switched personal recommendations off: no model reads them.")
        )
    model = artefacts.read_version(version)
    choices = TrainingChoices.from_json(version.card["choices"])
    known = columns_for(choices.purpose)
    if gone := [name for name in model.features if name not in known]:
        raise ModelRefused(
            _("There are no columns %(names)s any more.") % {"names": ", ".join(gone)[:250]}
        )
    table = features.load_table(
        features.Rows(
            np.array([person.pk], dtype=np.int64),
            np.array([features.microseconds(now)], dtype=np.int64),
        ),
        [known[name] for name in model.features],
        takes_values_of_today=choices.takes_values_of_today,
    )
    scored = model.score(table)
    reasons: list[tuple[str, str | float | None]] = []
    for place in scored.reasons[0]:
        if place < 0:
            continue
        name = model.features[place]
        value = float(table.values[0, table.names.index(name)])
        if np.isnan(value):
            reasons.append((name, None))
        elif name in table.words:
            reasons.append((name, table.words[name][int(value)]))
        else:
            reasons.append((name, value))
    with act:
        act.record("model.explained", on=person, facts={"version": version.label})
    return Explanation(
        person,
        float(scored.probability[0]),
        float(scored.points[0]),
        scoring.band_names(model, ModelPurpose(choices.purpose))[int(scored.band[0])],
        tuple(reasons),
    )
