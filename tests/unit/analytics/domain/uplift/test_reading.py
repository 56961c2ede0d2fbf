"""Which cells of a file make a trial, and what is refused, by line and column."""

import pytest

from analytics.domain.uplift.reading import TrialColumns, TrialFileError, read_trial
from analytics.domain.uplift.vocabulary import TrialProblem

COLUMNS = TrialColumns(treatment="arm", outcome="bought")


def _rows(*rows):
    names = ("arm", "bought", "age", "city")
    return [(line, dict(zip(names, row, strict=True))) for line, row in enumerate(rows, start=2)]


GOOD = _rows(
    ("Mens E-Mail", "1", "30", "上海"),
    ("No E-Mail", "0", "", "北京"),
    ("Mens E-Mail", "0", "41.5", ""),
)


def test_a_trial_is_read():
    found = read_trial(GOOD, COLUMNS)
    assert found.treated_word == "Mens E-Mail"
    assert found.trial.treated.tolist() == [True, False, True]
    assert found.trial.outcome.tolist() == [True, False, False]
    assert found.trial.table.names == ("age", "city")
    assert found.trial.table.words == {"city": ("上海", "北京")}
    assert found.trial.table.values[:, 0].tolist()[::2] == [30.0, 41.5]


@pytest.mark.parametrize(
    ("words", "treated"),
    [
        (("1", "0"), "1"),
        (("0", "1"), "1"),
        (("False", "True"), "True"),
        (("yes", "no"), "yes"),
        (("Control", "SMS"), "SMS"),
        (("短信", "对照组"), "短信"),
        (("treated", "other"), "treated"),
    ],
)
def test_which_of_two_words_is_the_treated_is_plain(words, treated):
    rows = _rows((words[0], "1", "1", "a"), (words[1], "0", "2", "b"))
    assert read_trial(rows, COLUMNS).treated_word == treated


@pytest.mark.parametrize(
    ("rows", "columns", "problem", "column", "line"),
    [
        ([], COLUMNS, "no_rows", "", 0),
        (GOOD, TrialColumns("nosuch", "bought"), "column_missing", "nosuch", 0),
        (GOOD, TrialColumns("arm", "bought", dropped=("x",)), "column_missing", "x", 0),
        (GOOD, TrialColumns("arm", "arm"), "column_twice", "arm", 0),
        (_rows(("1", "1", "1", "a"), ("", "0", "2", "b")), COLUMNS, "cell_empty", "arm", 3),
        (_rows(("1", "1", "1", "a"), ("0", " ", "2", "b")), COLUMNS, "cell_empty", "bought", 3),
        (
            _rows(("1", "1", "1", "a"), ("0", "0", "2", "b"), ("2", "0", "2", "b")),
            COLUMNS,
            "not_two_words",
            "arm",
            4,
        ),
        (_rows(("A", "1", "1", "a"), ("B", "0", "2", "b")), COLUMNS, "unclear_which", "arm", 0),
        (_rows(("0", "1", "1", "a"), ("no", "0", "2", "b")), COLUMNS, "unclear_which", "arm", 0),
        (GOOD, TrialColumns("arm", "bought", treated="SMS"), "word_unknown", "arm", 0),
        (_rows(("1", "1", "1", "a"), ("1", "0", "2", "b")), COLUMNS, "one_group", "arm", 0),
        (
            _rows(("1", "1", "7", "a"), ("0", "0", "7", "a")),
            COLUMNS,
            "no_feature",
            "",
            0,
        ),
    ],
)
def test_what_is_no_trial_is_refused(rows, columns, problem, column, line):
    with pytest.raises(TrialFileError) as caught:
        read_trial(rows, columns)
    error = caught.value
    assert (error.problem, error.column, error.line) == (TrialProblem(problem), column, line)


def test_columns_that_say_nothing_or_who_somebody_is_are_left_out():
    rows = _rows(*((str(at % 2), str(at % 3 // 2), "5", f"w{at}") for at in range(60)))
    rows = [(line, row | {"x": str(line)}) for line, row in rows]
    found = read_trial(rows, COLUMNS)
    assert found.left_out == {"age": "same_for_all", "city": "too_many_words"}
    assert found.trial.table.names == ("x",)


def test_an_identifier_breaks_ties_by_its_number_and_is_no_feature():
    rows = _rows(("1", "1", "10", "a"), ("0", "0", "9", "b"), ("0", "1", "100", "b"))
    columns = TrialColumns("arm", "bought", identifier="age")
    found = read_trial(rows, columns)
    assert found.trial.table.customer_ids.tolist() == [1, 0, 2]
    assert found.trial.table.names == ("city",)
