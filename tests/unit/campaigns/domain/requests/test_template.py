import pytest

from campaigns.domain.requests.template import MOST_VARIABLES, NameProblem, name_problems


def test_good_names_are_taken():
    assert name_problems(("code", "due_on", "amount2")) == ()


@pytest.mark.parametrize(
    ("names", "found"),
    [
        (("Code",), (("Code", NameProblem.MALFORMED),)),
        (("2code",), (("2code", NameProblem.MALFORMED),)),
        (("a" * 41,), (("a" * 41, NameProblem.MALFORMED),)),
        (("",), (("", NameProblem.MALFORMED),)),
        (("code", "code"), (("code", NameProblem.REPEATED),)),
    ],
)
def test_a_name_that_no_text_could_use_is_refused(names, found):
    assert name_problems(names) == found


@pytest.mark.parametrize("name", ["name", "unsubscribe_url", "brand", "link_0", "products"])
def test_no_call_replaces_what_every_text_has(name):
    assert name_problems((name,)) == ((name, NameProblem.RESERVED),)


def test_there_are_not_too_many():
    names = tuple(f"v{number}" for number in range(MOST_VARIABLES + 1))
    assert name_problems(names[:-1]) == ()
    assert name_problems(names) == ((names[-1], NameProblem.TOO_MANY),)
