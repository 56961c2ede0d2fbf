"""Trainings by schedule: each ends in a candidate, which two people have to make champion."""

from contextlib import suppress
from datetime import datetime, timedelta

from analytics.domain.modelling.life.choices import TrainingChoices
from analytics.models import RegisteredModel, TrainingRun
from analytics.services.modelling import training_runs
from loancrm.kernel.access import Actor
from loancrm.kernel.work.service import WorkOpenAlready


def retrain_due_models(*, actor: Actor, now: datetime) -> list[TrainingRun]:
    """Start a training of every model whose turn it is, with the choices of its last one.

    Raises:
        PermissionRefused: The actor may not train models.
    """
    started = []
    for model in RegisteredModel.objects.filter(retrain_days__gt=0).order_by("name"):
        since = now - timedelta(days=model.retrain_days)
        if TrainingRun.objects.filter(model=model, work__created_at__gt=since).exists():
            continue
        choices = TrainingChoices.from_json(model.choices)
        # One that somebody started is under way.
        with suppress(WorkOpenAlready):
            started.append(training_runs.start_training(actor=actor, choices=choices, now=now))
    return started
