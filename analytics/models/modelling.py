"""Models that score people: what each is for, its versions, its trainings and scorings."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from analytics.domain.modelling.life.lifecycle import VersionState
from loancrm.kernel.models import Work

_USER = settings.AUTH_USER_MODEL


class RegisteredModel(models.Model):
    """One thing that is predicted; its name is that of the score.

    Attributes:
        choices: Those of the last training, for the next one by schedule.
        retrain_days: Days between trainings by schedule; 0: only when somebody asks for one.
        challenger_share: Share of people for whom the challenger's score counts.
        is_for_marketing: Campaigns may choose people by the score.
        halted_at: Since when nobody is scored; empty while the score is in use.
        halt_reason: `HaltReason`.
        watched_since: Drift before then counts towards no halt: somebody looked at it.
    """

    name = models.SlugField(_("name"), max_length=40, unique=True)
    purpose = models.CharField(_("purpose"), max_length=20)
    choices = models.JSONField(_("choices"), default=dict)
    owner = models.ForeignKey(
        _USER, verbose_name=_("owner"), null=True, on_delete=models.SET_NULL, related_name="+"
    )
    created_at = models.DateTimeField(_("created at"))
    score_every_days = models.PositiveSmallIntegerField(_("days between scorings"), default=1)
    retrain_days = models.PositiveSmallIntegerField(_("days between trainings"), default=0)
    stale_after_days = models.PositiveSmallIntegerField(_("too old after days"), default=30)
    challenger_share = models.FloatField(_("share of the challenger"), default=0.0)
    is_for_marketing = models.BooleanField(_("may choose people for marketing"), default=True)
    halted_at = models.DateTimeField(_("halted at"), null=True)
    halt_reason = models.CharField(_("halted because"), max_length=20, blank=True)
    watched_since = models.DateTimeField(null=True)

    class Meta:
        verbose_name = _("model")
        verbose_name_plural = _("models")
        constraints = [
            models.CheckConstraint(
                condition=Q(challenger_share__gte=0, challenger_share__lte=0.5),
                name="registered_model_share",
            )
        ]

    def __str__(self) -> str:
        return self.name


class ModelVersion(models.Model):
    """One trained version; the artefact and its card are never changed once written.

    Attributes:
        content: The artefact as `analytics.domain.uplift.stored` reads it.
        digest: SHA-256 of the model in it.
        card: Facts of the model card that the artefact does not hold.
        reference: Rows by frozen bin of everybody scored on the day of the training: `points`,
            `features`. Drift is held against it.
        seal: SHA-256 of artefact, card and reference together.
        expires_on: The last day on which it may score; somebody has to look at it by then.
        previous: The champion that it replaced, to which a roll-back leads.
        comparison: What the rule says of it against a champion, as
            `analytics.services.modelling.comparing` writes it; empty where there was none.
    """

    model = models.ForeignKey(RegisteredModel, on_delete=models.CASCADE, related_name="versions")
    number = models.PositiveIntegerField(_("number"))
    state = models.CharField(_("state"), max_length=10, default=VersionState.CANDIDATE)
    kind = models.CharField(_("kind"), max_length=12)
    content = models.TextField(_("content"))
    digest = models.CharField(_("digest"), max_length=64)
    card = models.JSONField(_("model card"), default=dict)
    reference = models.JSONField(default=dict)
    seal = models.CharField(max_length=64)
    trained_at = models.DateTimeField(_("trained at"))
    trained_by = models.ForeignKey(
        _USER, verbose_name=_("trained by"), null=True, on_delete=models.SET_NULL, related_name="+"
    )
    approved_by = models.ForeignKey(
        _USER, verbose_name=_("approved by"), null=True, on_delete=models.SET_NULL, related_name="+"
    )
    approved_at = models.DateTimeField(_("approved at"), null=True)
    effective_at = models.DateTimeField(_("champion since"), null=True)
    expires_on = models.DateField(_("valid until"), null=True)
    retired_at = models.DateTimeField(_("retired at"), null=True)
    comparison = models.JSONField(default=dict)
    previous = models.ForeignKey("self", null=True, on_delete=models.SET_NULL, related_name="+")

    class Meta:
        verbose_name = _("version of a model")
        verbose_name_plural = _("versions of models")
        permissions = [("decide_riskmodel", _("Can approve and promote models of default risk"))]
        constraints = [
            models.UniqueConstraint(fields=["model", "number"], name="model_version_unique"),
            models.UniqueConstraint(
                fields=["model"], condition=Q(state="champion"), name="model_one_champion"
            ),
            models.UniqueConstraint(
                fields=["model"], condition=Q(state="challenger"), name="model_one_challenger"
            ),
            models.CheckConstraint(
                condition=Q(approved_by__isnull=True) | ~Q(approved_by=models.F("trained_by")),
                name="model_version_second_person",
            ),
        ]

    def __str__(self) -> str:
        return self.label

    @property
    def label(self) -> str:
        """Return what scores name: the number and the beginning of the digest."""
        return f"v{self.number}-{self.digest[:12]}"


class TrainingRun(models.Model):
    """One training that somebody, or the schedule, started; it ends in a candidate.

    Attributes:
        parameters: As `TrainingChoices.to_json` writes them.
    """

    work = models.OneToOneField(Work, on_delete=models.CASCADE, related_name="+")
    model = models.ForeignKey(RegisteredModel, on_delete=models.CASCADE, related_name="trainings")
    parameters = models.JSONField(_("choices"))
    version = models.OneToOneField(
        ModelVersion, null=True, on_delete=models.SET_NULL, related_name="+"
    )

    class Meta:
        verbose_name = _("training of a model")
        verbose_name_plural = _("trainings of models")

    def __str__(self) -> str:
        return f"TrainingRun {self.pk}"


class ScoringRun(models.Model):
    """One time that a version scored everybody, or refused to.

    Attributes:
        points: PSI of the score (`StabilityIndex.to_json`).
        features: CSI of each feature, likewise.
        odd: Rows by feature with a word never learned or a value that is no number.
        is_written: The scores were stored; not those of a run that halted them.
    """

    version = models.ForeignKey(ModelVersion, on_delete=models.CASCADE, related_name="scorings")
    role = models.CharField(_("role"), max_length=10)
    scored_at = models.DateTimeField(_("scored at"))
    people = models.PositiveIntegerField(_("people"), default=0)
    points = models.JSONField(default=dict)
    features = models.JSONField(default=dict)
    odd = models.JSONField(default=dict)
    is_bad = models.BooleanField(_("drifted"), default=False)
    is_written = models.BooleanField(_("scores stored"), default=True)

    class Meta:
        verbose_name = _("scoring run")
        verbose_name_plural = _("scoring runs")
        indexes = [models.Index(fields=["version", "scored_at"], name="scoring_run_latest")]

    def __str__(self) -> str:
        return f"ScoringRun {self.pk}"
