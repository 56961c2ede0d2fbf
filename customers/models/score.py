"""Scores that models gave to customers, each with its version and time."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from customers.domain.score_standing import ScoreState, StandingFacts
from customers.models.customer import Customer


class Score(models.Model):
    """The value of one model version for one customer; `is_latest` marks the one in use."""

    customer = models.ForeignKey(Customer, on_delete=models.CASCADE, related_name="scores")
    model_name = models.CharField(_("model"), max_length=60)
    version = models.CharField(_("version"), max_length=40)
    value = models.DecimalField(_("value"), max_digits=16, decimal_places=6)
    band = models.CharField(_("band"), max_length=20, blank=True)
    scored_at = models.DateTimeField(_("scored at"))
    is_latest = models.BooleanField(default=True)
    # Stamped by the database at every write, for the feed of changes.
    changed_at = models.DateTimeField(null=True, editable=False)

    class Meta:
        verbose_name = _("score")
        verbose_name_plural = _("scores")
        constraints = [
            models.UniqueConstraint(
                fields=["customer", "model_name"],
                condition=models.Q(is_latest=True),
                name="score_one_latest",
            )
        ]
        indexes = [
            models.Index(fields=["model_name", "is_latest", "value"], name="score_lookup"),
            models.Index(fields=["changed_at"], name="score_changed"),
        ]

    def __str__(self) -> str:
        return f"Score {self.pk} {self.model_name}"


class ScoreStanding(models.Model):
    """What the owner of a model says of its scores, for those who choose people by them.

    Scores of a model without a row here came from outside or are plain sums; nobody vouches for
    their age.
    """

    model_name = models.CharField(_("model"), max_length=60, unique=True)
    version = models.CharField(_("version"), max_length=40)
    state = models.CharField(_("state"), max_length=8, default=ScoreState.IN_USE)
    scored_at = models.DateTimeField(_("scored at"))
    stale_after_days = models.PositiveSmallIntegerField(_("too old after days"), default=30)
    is_for_marketing = models.BooleanField(_("may choose people for marketing"), default=True)

    class Meta:
        verbose_name = _("standing of a score")
        verbose_name_plural = _("standings of scores")

    def __str__(self) -> str:
        return f"ScoreStanding {self.model_name}"

    @property
    def facts(self) -> StandingFacts:
        """Return what rules of use read."""
        return StandingFacts(
            self.model_name,
            self.version,
            ScoreState(self.state),
            self.scored_at,
            self.stale_after_days,
            self.is_for_marketing,
        )
