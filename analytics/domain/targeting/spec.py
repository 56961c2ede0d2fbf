"""What somebody asks of a targeting: whom, with what, and how much; read once from plain JSON."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from analytics.domain.warning.rules import Severity
from campaigns.domain.campaigns.fairness import FairnessAttribute

MOST_OFFERS = 20
MOST_CHANNELS = 20
# Offers times channels.
MOST_OPTIONS = 24
_LARGEST = 1e9


class SpecCode(StrEnum):
    """Why a value is refused."""

    REQUIRED = "required"
    OBJECT_EXPECTED = "object_expected"
    LIST_EXPECTED = "list_expected"
    TEXT_EXPECTED = "text_expected"
    SLUG_EXPECTED = "slug_expected"
    NUMBER_EXPECTED = "number_expected"
    WHOLE_EXPECTED = "whole_expected"
    OUT_OF_RANGE = "out_of_range"
    ONE_OF = "one_of"
    UNKNOWN_KEY = "unknown_key"
    REPEATED = "repeated"
    TOO_MANY = "too_many"
    SCORE_EXPECTED = "score_expected"
    RESPONSE_EXPECTED = "response_expected"
    COST_EXPECTED = "cost_expected"
    PD_EXPECTED = "pd_expected"
    NO_SEGMENT = "no_segment"
    NO_SCORE = "no_score"
    SCORE_NO_SHARE = "score_no_share"
    SCORE_NO_CHANGE = "score_no_change"
    LIST_TAKEN = "list_taken"


@dataclass(frozen=True, slots=True)
class SpecProblem:
    """One value that is refused.

    Attributes:
        path: Where it stands, as in `offers[0].margin`.
        limit: What the words' blank holds.
    """

    path: str
    code: SpecCode
    limit: str = ""


class SpecInvalid(ValueError):
    """The description cannot be used; `problems` names everything that is wrong with it."""

    def __init__(self, problems: tuple[SpecProblem, ...]) -> None:
        """Keep the problems."""
        super().__init__("; ".join(f"{one.path}: {one.code}" for one in problems))
        self.problems = problems


@dataclass(frozen=True, slots=True)
class ScoreNames:
    """The models whose latest scores stand for what; empty where there is none."""

    response: str = ""
    uplift: str = ""
    pd: str = ""
    complaint: str = ""

    def over(self, base: "ScoreNames") -> "ScoreNames":
        """Return these names, and those of a base where these have none."""
        return ScoreNames(
            response=self.response or base.response,
            uplift=self.uplift or base.uplift,
            pd=self.pd or base.pd,
            complaint=self.complaint or base.complaint,
        )

    @property
    def named(self) -> list[str]:
        """Return the models that are named."""
        names = (self.response, self.uplift, self.pd, self.complaint)
        return [one for one in names if one]

    @property
    def conversion(self) -> str:
        """Return the model of the conversion: uplift where there is one."""
        return self.uplift or self.response


@dataclass(frozen=True, slots=True)
class TargetingOffer:
    """One offer. Money in CNY.

    Attributes:
        margin: Of a converted customer, before losses.
        lgd: Loss given default, 0 to 1.
        ead: Exposure at default.
        incentive: Paid to whoever takes the offer, also to those who would have come anyway.
    """

    slug: str
    name: str
    margin: float
    lgd: float = 0.0
    ead: float = 0.0
    incentive: float = 0.0
    scores: ScoreNames = field(default_factory=ScoreNames)


@dataclass(frozen=True, slots=True)
class TargetingChannel:
    """One way to contact people.

    Attributes:
        channel: Slug of a channel of the house, whose price counts; or a name of one's own.
        parts: Messages a contact; each costs the channel's price.
        cost: Of one contact; None takes the price of the channel.
        reach: Share of conversions that this channel brings, against what the scores say.
    """

    channel: str
    parts: int = 1
    cost: float | None = None
    reach: float = 1.0


@dataclass(frozen=True, slots=True)
class GroupCap:
    """A cap of fairness: a floor of the impact ratio, or the largest share of one group."""

    attribute: FairnessAttribute
    min_impact_ratio: float | None = None
    group: str = ""
    max_share: float | None = None


@dataclass(frozen=True, slots=True)
class TargetingCaps:
    """What must not be exceeded; None is no cap. Money in CNY.

    Attributes:
        budget: Of contacts, and incentives as far as they are expected to be paid.
        expected_loss: P(response) x PD x LGD x EAD of everybody chosen.
        pd: Nobody above this probability of default.
        alert: Nobody with an open alert of early warning that is so grave, or graver.
    """

    budget: float | None = None
    people: int | None = None
    per_channel: Mapping[str, int] = field(default_factory=dict)
    expected_loss: float | None = None
    pd: float | None = None
    alert: Severity | None = None
    fairness: tuple[GroupCap, ...] = ()


@dataclass(frozen=True, slots=True)
class TargetingSpec:
    """One targeting.

    Attributes:
        slug: Begins the names of the segments.
        segment: Whom to choose from; empty is everybody.
        complaint_cost: Of one complaint, in CNY.
    """

    slug: str
    name: str
    segment: str
    scores: ScoreNames
    offers: tuple[TargetingOffer, ...]
    channels: tuple[TargetingChannel, ...]
    caps: TargetingCaps
    complaint_cost: float = 0.0
    seed: int = 1

    @property
    def score_models(self) -> list[str]:
        """Return every model that is named, sorted."""
        return sorted(
            {*self.scores.named, *(one for offer in self.offers for one in offer.scores.named)}
        )

    @property
    def options(self) -> list[tuple[TargetingOffer, TargetingChannel]]:
        """Return every offer through every channel."""
        return [(offer, channel) for offer in self.offers for channel in self.channels]

    def counts_response(self, offer: TargetingOffer) -> bool:
        """Return whether it matters who takes an offer at all, won by the contact or not."""
        return offer.incentive > 0 or self.caps.expected_loss is not None


class SpecReader:
    """Reads values out of an object and keeps what is wrong with them."""

    def __init__(self, data: Any, path: str, problems: list[SpecProblem]) -> None:
        """Read from `data`, which stands at `path`."""
        self.path = path
        self.problems = problems
        self.seen: set[str] = set()
        if not isinstance(data, Mapping):
            self.refuse("", SpecCode.OBJECT_EXPECTED)
            data = {}
            self.is_object = False
        else:
            self.is_object = True
        self.data: Mapping[str, Any] = data

    def at(self, key: str) -> str:
        """Return where a key stands."""
        return ".".join(part for part in (self.path, key) if part) or "$"

    def refuse(self, key: str, code: SpecCode, limit: object = "") -> None:
        """Keep a problem."""
        self.problems.append(SpecProblem(self.at(key), code, str(limit)))

    def take(self, key: str) -> Any:
        """Return what stands under a key, None where nothing does."""
        self.seen.add(key)
        return self.data.get(key)

    def text(self, key: str, *, default: str | None = None, most: int = 120) -> str:
        """Return a text; without a default it must be there."""
        value = self.take(key)
        if value is None or value == "":
            if default is None:
                self._missing(key)
            return default or ""
        # What cannot be shown, such as half a character, cannot be stored either.
        if not isinstance(value, str) or len(value) > most or not value.isprintable():
            self.refuse(key, SpecCode.TEXT_EXPECTED, most)
            return ""
        return value.strip()

    def slug(self, key: str, *, default: str | None = None, most: int = 60) -> str:
        """Return a short name of letters, digits, hyphens and underscores."""
        value = self.text(key, default=default, most=most)
        if value and not (value.isascii() and value.replace("-", "").replace("_", "").isalnum()):
            self.refuse(key, SpecCode.SLUG_EXPECTED)
        return value

    def number(
        self, key: str, *, low: float = 0.0, high: float = _LARGEST, default: float | None = None
    ) -> float:
        """Return a number within its bounds; without a default it must be there."""
        if self.data.get(key) is None and default is None:
            self.take(key)
            self._missing(key)
            return low
        found = self.optional(key, low=low, high=high)
        return found if found is not None else (default if default is not None else low)

    def optional(self, key: str, *, low: float = 0.0, high: float = _LARGEST) -> float | None:
        """Return a number within its bounds, None where there is none."""
        value = self.take(key)
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int | float):
            self.refuse(key, SpecCode.NUMBER_EXPECTED)
            return None
        if not low <= value <= high:
            self.refuse(key, SpecCode.OUT_OF_RANGE, f"{low:g} – {high:g}")
            return None
        return float(value)

    def whole(self, key: str, *, low: int = 0, high: int = 10**9) -> int | None:
        """Return a whole number, None where there is none."""
        found = self.optional(key, low=low, high=high)
        if found is None:
            return None
        if found != int(found):
            self.refuse(key, SpecCode.WHOLE_EXPECTED)
            return None
        return int(found)

    def rows(self, key: str, *, most: int, is_needed: bool = True) -> list["SpecReader"]:
        """Return the objects of a list."""
        value = self.take(key)
        if value is None and not is_needed:
            return []
        if not isinstance(value, list) or (is_needed and not value):
            self.refuse(key, SpecCode.REQUIRED if value in (None, []) else SpecCode.LIST_EXPECTED)
            return []
        if len(value) > most:
            self.refuse(key, SpecCode.TOO_MANY, most)
            return []
        return [
            SpecReader(row, f"{self.at(key)}[{place}]", self.problems)
            for place, row in enumerate(value)
        ]

    def inner(self, key: str) -> "SpecReader":
        """Return the reader of an object, empty where there is none."""
        value = self.take(key)
        return SpecReader({} if value is None else value, self.at(key), self.problems)

    def finish(self) -> None:
        """Refuse keys that nobody reads."""
        for key in self.data:
            if key not in self.seen:
                self.refuse(str(key), SpecCode.UNKNOWN_KEY)

    def _missing(self, key: str) -> None:
        if self.is_object:
            self.refuse(key, SpecCode.REQUIRED)
