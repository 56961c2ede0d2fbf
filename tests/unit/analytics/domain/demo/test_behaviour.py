from datetime import timedelta
from statistics import mean

import pytest

from analytics.domain.demo import behaviour, plan

PEOPLE = [f"D{number:07d}" for number in range(20_000)]


def test_a_share_depends_on_seed_and_words_and_spreads_evenly():
    drawn = [behaviour.share(7, "goal", person) for person in PEOPLE]

    assert drawn == [behaviour.share(7, "goal", person) for person in PEOPLE]
    assert drawn != [behaviour.share(8, "goal", person) for person in PEOPLE]
    assert 0 <= min(drawn) < 0.001
    assert 0.999 < max(drawn) < 1
    assert mean(drawn) == pytest.approx(0.5, abs=0.01)


def test_words_do_not_run_into_each_other():
    assert behaviour.share(7, "ab", "c") != behaviour.share(7, "a", "bc")


@pytest.mark.parametrize(
    ("slug", "variant", "base", "effect"),
    [
        (plan.ACQUISITION, "A", 0.035, 0.08),
        (plan.ACQUISITION, "B", 0.035, 0.12),
        (plan.RETENTION, "A", 0.05, 0.0),
        (plan.WIN_BACK, "A", 0.045, 0.06),
    ],
)
def test_a_message_adds_the_campaigns_true_effect_and_nothing_else(slug, variant, base, effect):
    def rate(*, is_reached):
        found = [
            behaviour.react(7, slug, person, variant=variant, is_reached=is_reached)
            for person in PEOPLE
        ]
        return mean(reaction.goal_after is not None for reaction in found)

    assert rate(is_reached=False) == pytest.approx(base, abs=0.006)
    assert rate(is_reached=True) == pytest.approx(base + effect, abs=0.008)


def test_nobody_does_less_because_of_a_message():
    for person in PEOPLE[:3_000]:
        without = behaviour.react(7, plan.ACQUISITION, person, variant="A", is_reached=False)
        reached = behaviour.react(7, plan.ACQUISITION, person, variant="A", is_reached=True)
        if without.goal_after is not None:
            assert reached.goal_after == without.goal_after


def test_only_the_reached_click_and_every_goal_lies_inside_the_window():
    for slug, temper in behaviour.TEMPERS.items():
        window = timedelta(days=temper.window_days)
        for person in PEOPLE[:2_000]:
            silent = behaviour.react(7, slug, person, variant="A", is_reached=False)
            reached = behaviour.react(7, slug, person, variant="A", is_reached=True)
            assert silent.click_after is None
            if reached.goal_after is not None:
                assert timedelta(hours=4) <= reached.goal_after < window


def test_appetites_rise_with_logins_and_leave_the_average_effect_alone():
    found = behaviour.appetites({"a": 9, "b": 0, "c": 3, "d": 3})
    assert sorted(found, key=found.get) == ["b", "c", "d", "a"]
    assert sum(found.values()) / len(found) == pytest.approx(1.0)
    assert 0.3 <= min(found.values()) <= max(found.values()) <= 1.7
    assert behaviour.appetites({}) == {}
