"""Models of the demo: trained on its own data, approved, used to choose a campaign's people."""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any

from django.contrib.auth.models import User

from analytics.domain.demo import plan
from analytics.domain.modelling.life.choices import ModelPurpose, TrainingChoices
from analytics.domain.modelling.life.lifecycle import VersionState
from analytics.models import ModelVersion, ScoringRun, TargetingRun, TrainingRun
from analytics.services.modelling import artefacts, life, training_runs
from analytics.services.modelling.errors import ModelRefused
from analytics.services.targeting import runs as targeting_runs
from loancrm.kernel import access, clock
from loancrm.kernel.manifest import Role
from loancrm.kernel.models import Work

# The worker of the demo trains and scores; a slow machine has more than enough of this.
_PATIENCE_SECONDS = 300.0
_LOOK_SECONDS = 0.2
_TARGETING = "next-loan"
# What a loan of the demo brings and may cost; the amount is the usual one of its products.
_OFFER = {"slug": "cash", "name": "现金贷 Cash loan", "margin": 900, "lgd": 0.65, "ead": 8000}
_BUDGET = 60
_MOST_PD = 0.25
_LEAST_RATIO = 0.8
CHOICES = (
    # The people were taken in after most of their loans: what is known of them is of today.
    TrainingChoices(
        ModelPurpose.DEFAULT_RISK, threshold_days=30, months=6, takes_values_of_today=True
    ),
    TrainingChoices(ModelPurpose.RESPONSE, campaign=plan.ACQUISITION),
)


class TooFewPeople(Exception):
    """The demo has so few people that a model says nothing, or nobody may approve it."""


def train(users: Mapping[Role, User]) -> Iterator[str]:
    """Train the models, let a second person approve them and everybody be scored; tell of each.

    Raises:
        TooFewPeople: With the product's own words for it.
    """
    analyst = access.user_actor(users[Role.ANALYST])
    approver = access.user_actor(users[Role.APPROVER])
    for choices in CHOICES:
        run = training_runs.start_training(actor=analyst, choices=choices, now=clock.now())
        _wait(partial(_is_over, run.work_id), what=choices.model_name)
        version = TrainingRun.objects.select_related("version").get(pk=run.pk).version
        if version is None:
            raise TooFewPeople(Work.objects.get(pk=run.work_id).last_error)
        try:
            life.approve_version(actor=approver, version_id=version.pk, now=clock.now())
        except ModelRefused as error:
            raise TooFewPeople(error.message) from error
        life.promote_version(actor=approver, version_id=version.pk, now=clock.now())
        _wait(partial(_has_scored, version), what=f"{version} in use")
        yield _figures(choices, version)
    risk = ModelVersion.objects.get(model__name=CHOICES[0].model_name, state=VersionState.CHAMPION)
    life.allow_marketing(
        actor=approver,
        model_id=risk.model_id,
        is_allowed=True,
        reason="Nobody is offered a loan that they could not repay.",
        now=clock.now(),
    )


def target(users: Mapping[Role, User]) -> Iterator[str]:
    """Choose the people of the next campaign by expected profit; compare with other rankings."""
    risk, response = (choices.model_name for choices in CHOICES)
    run = targeting_runs.start_run(
        actor=access.user_actor(users[Role.MARKETER]),
        data={
            "slug": _TARGETING,
            "name": "下一笔贷款 Next loan",
            "whom": {"segment": plan.WITHOUT_LOAN},
            "scores": {"uplift": "", "response": response, "pd": risk},
            "offers": [_OFFER],
            "channels": [{"channel": plan.SMS, "parts": 2}],
            # The launch asks for the same four fifths.
            "caps": {
                "budget": _BUDGET,
                "pd": _MOST_PD,
                "fairness": [
                    {"attribute": name, "min_impact_ratio": _LEAST_RATIO}
                    for name in ("gender", "age_band")
                ],
            },
        },
        now=clock.now(),
    )
    _wait(lambda: _is_over(run.work_id), what=_TARGETING)
    result = TargetingRun.objects.get(pk=run.pk).result
    if not result:
        raise RuntimeError(f"{_TARGETING}: {Work.objects.get(pk=run.work_id).last_error}")
    yield f"{result['people']:,} of {result['looked_at']:,} people chosen; profit in CNY, expected:"
    yield from _compared(result["comparison"])


def audience() -> str:
    """Return the short name of the list that the targeting wrote."""
    run = TargetingRun.objects.filter(slug=_TARGETING).latest("pk")
    slug: str = run.result["segments"][0]["slug"]
    return slug


def _compared(rows: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    for row in rows:
        yield f"  {row['ranking']:<18}{row['profit']:>14,.2f}  {row['people']:>6,} people"


def _figures(choices: TrainingChoices, version: ModelVersion) -> str:
    measured = artefacts.read_version(version).measured
    test, calibration = measured["test"], measured["calibration"]
    return (
        f"{choices.model_name}: AUC {_estimate(test['auc'])}, KS {_estimate(test['ks'])}, "
        f"calibration slope {_estimate(calibration['slope'])}"
    )


def _estimate(found: Mapping[str, float]) -> str:
    return f"{found['value']:.3f} [{found['low']:.3f}, {found['high']:.3f}]"


def _has_scored(version: ModelVersion) -> bool:
    return ScoringRun.objects.filter(version=version).exists()


def _is_over(work_id: int) -> bool:
    return not Work.objects.get(pk=work_id).is_open


def _wait(is_done: Callable[[], bool], *, what: str) -> None:
    ends = time.monotonic() + _PATIENCE_SECONDS
    while not is_done():
        if time.monotonic() > ends:
            raise RuntimeError(f"{what} is not done after {_PATIENCE_SECONDS:.0f} s")
        time.sleep(_LOOK_SECONDS)
