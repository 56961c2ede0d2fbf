"""What is said of a ranking and of a file that is no trial; a page loads it without numbers."""

from enum import StrEnum


class TrialProblem(StrEnum):
    """Why a file is no trial."""

    NO_ROWS = "no_rows"
    ROW_DAMAGED = "row_damaged"
    COLUMN_MISSING = "column_missing"
    COLUMN_TWICE = "column_twice"
    CELL_EMPTY = "cell_empty"
    NOT_TWO_WORDS = "not_two_words"
    UNCLEAR_WHICH = "unclear_which"
    WORD_UNKNOWN = "word_unknown"
    ONE_GROUP = "one_group"
    NO_FEATURE = "no_feature"
    TOO_SMALL = "too_small"


class RankingVerdict(StrEnum):
    """What may be said of a ranking by uplift.

    NO_USABLE_RANKING: The interval of the Qini area reaches down to zero, or the area is below:
        whoever is chosen by it is as good as drawn by lot.
    """

    USABLE = "usable"
    NO_USABLE_RANKING = "no_usable_ranking"


class Learner(StrEnum):
    """How uplift is learned."""

    T = "t"
    X = "x"
    CLASS_TRANSFORMATION = "class"
