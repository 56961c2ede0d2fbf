"""People who are made up, to see a text as different people would get it while it is written."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from campaigns.domain.content.texts import VARIABLES


class SamplePerson(StrEnum):
    """For whom a text is shown while it is written."""

    TYPICAL = "typical"
    LONGEST = "longest"
    MISSING = "missing"


@dataclass(frozen=True, slots=True)
class SampleValues:
    """What is known about a made-up person.

    Attributes:
        is_complete: Whether every further value that a text may name is known too.
    """

    name: str = field(repr=False)
    province: str
    city: str
    is_complete: bool = True


_NOTHING = SampleValues("", "", "", is_complete=False)
_PEOPLE: Final[Mapping[tuple[SamplePerson, bool], SampleValues]] = {
    (SamplePerson.TYPICAL, True): SampleValues("王芳", "四川", "成都"),
    (SamplePerson.TYPICAL, False): SampleValues("Fang Wang", "Sichuan", "Chengdu"),
    # As long as names of people and places in the country become.
    (SamplePerson.LONGEST, True): SampleValues(
        "阿卜杜热西提·买买提吐尔逊", "新疆维吾尔自治区", "克孜勒苏柯尔克孜自治州"
    ),
    (SamplePerson.LONGEST, False): SampleValues(
        "Abdurishit Muhammadtursun-Alimjan",
        "Xinjiang Uygur Autonomous Region",
        "Kizilsu Kyrgyz Autonomous Prefecture",
    ),
}


def sample_values(sample: SamplePerson, *, language: str) -> SampleValues:
    """Return a made-up person as texts in one language name her."""
    return _PEOPLE.get((sample, language.startswith("zh")), _NOTHING)


def example_of(name: str, value_type: str = "", label: str = "") -> object:
    """Return a value to show for a variable: the catalogue's, else one of the attribute's type."""
    variable = VARIABLES.get(name)
    if variable is not None:
        return variable.example
    typed: dict[str, object] = {
        "number": 1234,
        "bool": True,
        "date": VARIABLES["offer_expires_on"].example,
    }
    return typed.get(value_type, f"‹{label or name}›")
