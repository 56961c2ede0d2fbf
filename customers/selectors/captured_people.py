"""Which of the people that are handed in are known already: two queries for any number."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from django.db.models import F
from django.db.models.functions import Coalesce

from customers.domain.captures import CapturedPerson
from customers.domain.contact import ContactKind
from customers.models import ContactPoint, Customer
from loancrm.kernel import crypto


@dataclass(slots=True, eq=False)
class Entry:
    """One person, stored or about to be; identity is the object itself.

    Attributes:
        customer_id: None until the person is stored.
        person: What was handed in, for people who are about to be stored.
        points: (kind, index, is primary) of the contact values to store; a value that is already
            somebody's primary one becomes a further one.
    """

    customer_id: int | None
    name_index: str
    national_id_index: str | None
    person: CapturedPerson | None = None
    points: tuple[tuple[str, str, bool], ...] = ()


@dataclass(frozen=True, slots=True)
class Keys:
    """The blind indexes of a person."""

    name: str
    national_id: str | None
    points: tuple[tuple[str, str], ...]


def keys_of(person: CapturedPerson) -> Keys:
    """Return the blind indexes under which a person is stored and found."""
    vault = crypto.vault()
    column = ContactPoint.VALUE_COLUMN
    points = []
    if person.phone:
        points.append((ContactKind.PHONE.value, vault.blind_index(column, person.phone.e164)))
    if person.email:
        points.append((ContactKind.EMAIL.value, vault.blind_index(column, person.email)))
    number = person.national_id.number if person.national_id else None
    return Keys(
        name=vault.blind_index(Customer.NAME_COLUMN, person.name_key) if person.name else "",
        national_id=vault.blind_index(Customer.NATIONAL_ID_COLUMN, number) if number else None,
        points=tuple(points),
    )


class Directory:
    """The known people among those handed in, and the new ones as they are added.

    Two records are one person when the national id is the same; or when a phone number or an e-mail
    address is the same and neither the national ids nor the names speak against it. A number that
    moved to a person of another name is that person's, and no consent moves with it.
    """

    def __init__(self) -> None:
        """Start empty; `load` fills it."""
        self._by_national_id: dict[str, Entry] = {}
        self._by_point: dict[tuple[str, str], list[Entry]] = {}
        self._primary: set[tuple[str, str]] = set()
        self.new: list[Entry] = []

    @classmethod
    def load(cls, people: Sequence[Keys]) -> "Directory":
        """Return the directory of everybody who shares an index with one of the people."""
        directory = cls()
        entries: dict[int, Entry] = {}
        numbers = {keys.national_id for keys in people if keys.national_id}
        by_number = Customer.objects.live().filter(national_id_index__in=numbers)
        for pk, name, number in by_number.values_list("pk", "name_index", "national_id_index"):
            entry = entries.setdefault(pk, Entry(pk, name, number))
            directory._by_national_id[str(number)] = entry
        indexes = {index for keys in people for __, index in keys.points}
        for kind, index, is_primary, pk, name, number in _points(indexes):
            entry = entries.setdefault(pk, Entry(pk, name, number))
            directory._by_point.setdefault((kind, index), []).append(entry)
            if is_primary:
                directory._primary.add((kind, index))
        return directory

    def find(self, keys: Keys) -> Entry | None:
        """Return the person with these indexes, or None."""
        if keys.national_id and (entry := self._by_national_id.get(keys.national_id)):
            return entry
        for point in keys.points:
            for entry in self._by_point.get(point, ()):
                if _can_be(entry, keys):
                    return entry
        return None

    def add(self, keys: Keys, person: CapturedPerson) -> Entry:
        """Note a new person and return their entry."""
        points = tuple((*point, point not in self._primary) for point in keys.points)
        self._primary.update(keys.points)
        entry = Entry(None, keys.name, keys.national_id, person, points)
        if keys.national_id:
            self._by_national_id[keys.national_id] = entry
        for point in keys.points:
            self._by_point.setdefault(point, []).append(entry)
        self.new.append(entry)
        return entry


def _can_be(entry: Entry, keys: Keys) -> bool:
    if entry.national_id_index and keys.national_id and entry.national_id_index != keys.national_id:
        return False
    return not (entry.name_index and keys.name) or entry.name_index == keys.name


def _points(
    indexes: Collection[str],
) -> Iterable[tuple[str, str, bool, int, str, str | None]]:
    return (
        ContactPoint.objects.filter(value_index__in=indexes)
        .annotate(
            person=Coalesce("customer__merged_into_id", "customer_id"),
            person_name=Coalesce("customer__merged_into__name_index", "customer__name_index"),
            person_number=F("customer__national_id_index"),
        )
        .order_by("-is_primary", "pk")
        .values_list("kind", "value_index", "is_primary", "person", "person_name", "person_number")
    )
