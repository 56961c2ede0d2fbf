"""Which scores are those of the champion for the risk of default."""

from datetime import datetime

from django.db.models.functions import Length

from analytics.domain.modelling.life.choices import ModelPurpose
from analytics.models import ModelVersion
from customers.models import Score


def champion_scores(*, until: datetime) -> frozenset[tuple[str, str]]:
    """Return (score, version) of every version that was champion for the risk of default (1 query).

    Args:
        until: Versions that became champion later are left out.
    """
    rows = ModelVersion.objects.filter(
        model__purpose=ModelPurpose.DEFAULT_RISK, effective_at__lt=until
    )
    return frozenset(
        (row.model.name, row.label)
        for row in rows.select_related("model").only("number", "digest", "model__name")
    )


def banded_scores() -> list[str]:
    """Return the names of the scores of which bands are letters, by name (1 query)."""
    rows = Score.objects.filter(is_latest=True).annotate(width=Length("band")).filter(width=1)
    return list(rows.order_by("model_name").values_list("model_name", flat=True).distinct())
