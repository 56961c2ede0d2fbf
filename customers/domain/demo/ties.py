"""What ties the people of the demo: households, employers, devices, referrals, guarantors.

Drawn apart from the rest, so that nobody's loans or events depend on it. Neighbours by serial
number form groups of four; a draw of the group decides what its members have in common.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from random import Random

from customers.domain.demo.people import DemoPerson

_GROUP = 4
_EMPLOYERS_A_CITY = 6
# Everybody's platform: more people than a tie can mean anything for.
_PLATFORM = "全国同城配送平台"
_STREETS = ("和平路", "人民路", "解放路", "建设路", "中山路")
_FIRMS = {
    "factory_worker": "机械厂",
    "engineer": "科技公司",
    "office_worker": "商贸公司",
    "teacher": "中学",
    "medical": "医院",
}


@dataclass(frozen=True, slots=True)
class DemoTies:
    """What ties a person to others: attributes, an address, somebody's phone number."""

    attributes: Mapping[str, str] = field(default_factory=dict)
    address: str | None = None
    shared_phone_serial: int | None = None


def draw_ties(person: DemoPerson, *, seed: int) -> DemoTies:
    """Draw what ties a person to others; those named come before the person in the population."""
    rng = Random(f"{seed}:ties:{person.serial}")  # noqa: S311 - made-up people, not secrets
    number, place_in_group = divmod(person.serial, _GROUP)
    group = Random(f"{seed}:ties-of:{number}")  # noqa: S311 - the same
    is_household, is_ring = group.random() < 0.18, group.random() < 0.03
    found: dict[str, str] = {}
    address = None
    if is_household and rng.random() < 0.8:
        found["household_id"] = f"H{number:06d}"
        address = f"{_STREETS[number % len(_STREETS)]}{number + 1}号"
    if is_ring:
        found["device_id"] = f"dev-{number:06d}"
    found |= _work(rng, person) | _named(rng, person)
    return DemoTies(found, address, number * _GROUP if is_ring and place_in_group else None)


def _work(rng: Random, person: DemoPerson) -> dict[str, str]:
    if person.occupation == "driver":
        return {"employer": _PLATFORM}
    firm = _FIRMS.get(person.occupation)
    if firm is None or rng.random() < 0.5:
        return {}
    return {"employer": f"{person.place.city}第{rng.randrange(1, _EMPLOYERS_A_CITY + 1)}{firm}"}


def _named(rng: Random, person: DemoPerson) -> dict[str, str]:
    found: dict[str, str] = {}
    serial = person.serial
    if serial and person.acquired_through == "referral":
        found["referred_by"] = _number_of(rng.randrange(serial))
    if serial and rng.random() < 0.02:
        found["guaranteed_by"] = _number_of(rng.randrange(max(serial - 40, 0), serial))
    return found


def _number_of(serial: int) -> str:
    return f"D{serial + 1:07d}"
