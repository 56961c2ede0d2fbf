"""Targetings as long work: started by a person or a command, solved by a worker, seen on a page."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models import F

from analytics import jobs
from analytics.domain.targeting import rankings
from analytics.domain.targeting.planning import TargetingPlan, plan
from analytics.domain.targeting.rankings import Ranked, Ranking
from analytics.domain.targeting.solving import Solution, solve
from analytics.domain.targeting.spec import TargetingSpec
from analytics.domain.targeting.spec_reading import spec_to_json
from analytics.models import TargetingRun
from analytics.selectors.targeting import people as people_selector
from analytics.selectors.targeting import standings
from analytics.services.discovery_writing import people_of
from analytics.services.targeting import checking, results, writing
from analytics.services.targeting.checking import TargetingEmpty
from loancrm.kernel import access, clock
from loancrm.kernel.access import Actor
from loancrm.kernel.acting import acting
from loancrm.kernel.database.errors import has_broken
from loancrm.kernel.words.phrases import Phrase
from loancrm.kernel.words.phrases import gettext as _
from loancrm.kernel.work import service as works
from loancrm.kernel.work.claims import WorkClaim
from loancrm.kernel.work.execution import execute

PERMISSION = "analytics.add_targetingrun"
# Reading, solving, comparing, writing.
STEPS = 4


def start_run(
    *,
    actor: Actor,
    data: Any,
    now: datetime,
    is_background: bool = True,
    form_token: UUID | None = None,
) -> TargetingRun:
    """Store a targeting for a worker; with `is_background` off the caller does it by `run`.

    Args:
        form_token: Of the page that was sent. Sent twice, also at the same moment, it starts one
            targeting: the second gets the first one's.

    Raises:
        PermissionRefused: The actor may not target.
        TargetingRefused: With every problem of the description.
        ScoreNotUsable: A score may not choose people now.
    """
    act = acting(actor, PERMISSION, now=now)
    if form_token and (found := started_by(form_token)):
        return found
    spec = checking.read_spec(with_champion(data, now=now), now=now)
    with act:
        try:
            with transaction.atomic():
                run_row = _store(spec, actor, now, is_background=is_background, token=form_token)
        except IntegrityError as error:
            if not has_broken(error, TargetingRun, "targeting_one_a_form"):
                raise
            # The same form came a second time at this very moment, and the other was faster.
            act.unchanged()
            return TargetingRun.objects.get(form_token=form_token)
        act.record("targeting.started", on=run_row, facts={"spec": run_row.spec})
    return run_row


def with_champion(data: Any, *, now: datetime) -> Any:
    """Return a description that says nothing of an uplift with the champion's, where there is one.

    An uplift that is empty is an answer: none is wanted.
    """
    scores = data.get("scores") if isinstance(data, Mapping) else None
    if not isinstance(scores, Mapping) or "uplift" in scores:
        return data
    if not (name := standings.uplift_in_use(now=now)):
        return data
    return {**data, "scores": {**scores, "uplift": name}}


def _store(
    spec: TargetingSpec, actor: Actor, now: datetime, *, is_background: bool, token: UUID | None
) -> TargetingRun:
    name = spec.name or spec.slug
    work = works.start(
        kind=jobs.TARGETING,
        actor=actor,
        now=now,
        title=Phrase.of({"zh-hans": name, "en": name}),
        total_count=STEPS,
        is_background=is_background,
    )
    return TargetingRun.objects.create(
        work=work, slug=spec.slug, spec=spec_to_json(spec), form_token=token
    )


def started_by(form_token: UUID) -> TargetingRun | None:
    """Return the targeting that a form has started already."""
    return TargetingRun.objects.filter(form_token=form_token).first()


def run(*, work_id: int, now: datetime, actor: Actor | None = None) -> None:
    """Do a targeting in the name of who started it; nothing when it is in hand or over.

    Lists and result are written in one transaction with its end: a worker that died has left
    nothing, and the targeting is done from the beginning.

    Args:
        actor: Who acts where no user started it.
    """

    def perform(claim: WorkClaim) -> None:
        row = TargetingRun.objects.select_related("work__requested_by").get(work_id=work_id)
        claim.save_progress(done_count=0)
        person = row.work.requested_by
        who = access.user_actor(person) if person else actor
        # Whoever lost the permission, or left, since the start targets nobody any more.
        access.require(who, PERMISSION)
        assert who is not None  # noqa: S101 - as just required
        _target(row, who, now, claim)

    execute(work_id=work_id, perform=perform, now=now)


def _target(row: TargetingRun, actor: Actor, now: datetime, claim: WorkClaim) -> None:
    spec = checking.read_spec(row.spec, now=now)

    def step_done() -> None:
        claim.save_progress(done_count=F("done_count") + 1)
        claim.raise_if_requested()

    versions = standings.versions_of(spec.score_models)
    people = people_selector.load_people(
        people_of(spec.segment, now=now),
        models=spec.score_models,
        today=now.astimezone(clock.company_zone()).date(),
    )
    if not len(people.ids):
        raise TargetingEmpty(
            _("Nobody can be chosen: the segment is empty, or all switched recommendations off.")
        )
    planned = plan(spec, people, contact_costs=checking.contact_costs(spec))
    step_done()
    solution = solve(planned.problem, on_step=claim.raise_if_requested)
    step_done()
    compared = compare(
        spec=spec, planned=planned, solution=solution, on_step=claim.raise_if_requested
    )
    step_done()
    with acting(actor, PERMISSION, on=row, now=now) as act:
        choice = writing.without_gone(spec=spec, people=people, choice=solution.choice)
        lists = writing.write_lists(act, row=row, spec=spec, people=people, choice=choice)
        retired = writing.retire_lists(act, row=row, spec=spec)
        result = results.result_of(
            spec=spec,
            people=people,
            planned=planned,
            solution=solution,
            compared=compared,
            lists=lists,
            retired=retired,
        )
        result["scores"] = versions
        result["skipped"] = result["people"] - int((choice >= 0).sum())
        claim.finish(done_count=F("total_count"))
        TargetingRun.objects.filter(pk=row.pk).update(result=result)
        told = {name: result[name] for name in ("people", "profit", "gap")}
        sizes = {one["slug"]: one["size"] for one in result["segments"]}
        facts = {"slug": spec.slug, **told, "segments": sizes}
        act.record("targeting.done", facts={**facts, "retired": [one.slug for one in retired]})


def compare(
    *,
    spec: TargetingSpec,
    planned: TargetingPlan,
    solution: Solution,
    on_step: Callable[[], object] = lambda: None,
) -> list[Ranked]:
    """Return what the choice and the usual rankings bring under the same caps."""
    problem, loss = planned.open, planned.loss
    found = [rankings.ranked(Ranking.PROFIT, problem, solution.choice, loss=loss)]
    orders: dict[Ranking, Callable[[], rankings.Order]] = {
        Ranking.RESPONSE: lambda: rankings.by_response(problem, planned.response),
        Ranking.RISK: lambda: rankings.by_risk(problem, planned.default),
        Ranking.RANDOM: lambda: rankings.by_chance(problem, seed=spec.seed),
    }
    for ranking, order in orders.items():
        if ranking is Ranking.RISK and not spec.scores.pd:
            continue
        on_step()
        found.append(rankings.rank(ranking, problem, order(), loss=loss))
    return found
