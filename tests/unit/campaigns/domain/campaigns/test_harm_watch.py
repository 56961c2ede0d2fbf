"""d18: when failures, complaints and opt-outs stop a campaign."""

import random

import pytest

from campaigns.domain.campaigns import harm_watch
from campaigns.domain.campaigns.harm_watch import Harm, HarmCounts, HarmFound, PauseReason
from campaigns.domain.experiments.harm import HarmBound
from loancrm.settings import parsing

BOUNDS = {
    Harm.FAILURES: HarmBound(0.05, 0.15),
    Harm.COMPLAINTS: HarmBound(0.001, 0.003),
    Harm.OPT_OUTS: HarmBound(0.005, 0.015),
}
LOOK_EVERY = 100


def counts(sent, **bad):
    return HarmCounts(sent + 10, sent, {Harm(name): count for name, count in bad.items()})


@pytest.mark.parametrize(("sent", "stops_at"), [(1000, 5), (5000, 12)])
def test_d18_complaints_stop_at_the_published_counts(sent, stops_at):
    assert harm_watch.found_harm(counts(sent, complaints=stops_at - 1), BOUNDS) is None
    found = harm_watch.found_harm(counts(sent, complaints=stops_at), BOUNDS)
    assert found == HarmFound(Harm.COMPLAINTS, stops_at, sent)


def test_d18_failures_are_counted_among_all_answers_and_a_harm_without_bound_is_not_watched():
    found = harm_watch.found_harm(counts(90, failures=40), BOUNDS)
    assert found == HarmFound(Harm.FAILURES, 40, 100)
    assert harm_watch.found_harm(counts(90, failures=40), {}) is None


def test_d18_nothing_that_is_sent_stops_nothing():
    assert harm_watch.found_harm(HarmCounts(0, 0, {}), BOUNDS) is None


def test_d18_a_pause_names_its_harm_and_whether_the_account_is_meant():
    reasons = {harm_watch.pause_reason(harm, of_account=True) for harm in Harm}
    reasons |= {harm_watch.pause_reason(harm, of_account=False) for harm in Harm}
    assert reasons == set(PauseReason)


def stopped_share(harm, rate, *, sent, rounds=400):
    """Return in how many campaigns of so many messages the rate stops it, at any of the looks."""
    rng = random.Random(18)
    stopped = 0
    for _round in range(rounds):
        bad = 0
        for messages in range(LOOK_EVERY, sent + 1, LOOK_EVERY):
            bad += sum(rng.random() < rate for _message in range(LOOK_EVERY))
            if harm_watch.found_harm(counts(messages, **{harm: bad}), BOUNDS):
                stopped += 1
                break
    return stopped / rounds


@pytest.mark.parametrize(
    ("harm", "sent"), [("failures", 600), ("complaints", 6000), ("opt_outs", 3000)]
)
def test_d18_planted_drift_pauses_and_the_usual_rate_rarely_does(harm, sent):
    """The error rates of the bound hold although it is looked at again and again."""
    bound = BOUNDS[Harm(harm)]
    assert stopped_share(harm, bound.harmful, sent=sent) >= 1 - bound.beta
    # Three standard errors of 400 rounds above what is allowed.
    assert stopped_share(harm, bound.usual, sent=sent) <= bound.alpha + 0.033


@pytest.mark.parametrize("raw", ["x", "3", "0.3-0.1", "0-1", "1-100", "a-b"])
def test_bounds_that_are_none_are_refused(raw):
    with pytest.raises(ValueError, match=r"."):
        parsing.harm_rates(raw)


def test_bounds_are_given_in_percent_or_switched_off():
    assert parsing.harm_rates("0.1-0.3") == pytest.approx((0.001, 0.003))
    assert parsing.harm_rates("off") == ()
