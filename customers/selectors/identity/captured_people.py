"""Which of the people that are handed in are known already, or came twice in one call."""

from collections.abc import Sequence
from dataclasses import dataclass

from customers.domain.consents.captures import CapturedPerson
from customers.domain.identity.match_keys import Likeness, MatchKey, is_same_person
from customers.domain.values.contact import ContactKind
from customers.models import ContactPoint, Customer
from customers.selectors.identity import person_matching
from customers.selectors.identity.person_matching import Probe
from loancrm.kernel.security import crypto

_KEY_OF_KIND = {ContactKind.PHONE.value: MatchKey.PHONE, ContactKind.EMAIL.value: MatchKey.EMAIL}


@dataclass(frozen=True, slots=True)
class Keys:
    """The blind indexes of a person; `points` holds (kind, index)."""

    likeness: Likeness
    points: tuple[tuple[str, str], ...]


@dataclass(slots=True, eq=False)
class DirectoryEntry:
    """One person, stored or about to be; identity is the object itself.

    Attributes:
        customer_id: None until the person is stored.
        likeness: What a new person is compared by; None for stored people.
        person: What was handed in about a new person.
        points: (kind, index, is primary) of a new person's contact values; a value that is already
            somebody's primary one becomes a further one.
    """

    customer_id: int | None = None
    likeness: Likeness | None = None
    person: CapturedPerson | None = None
    points: tuple[tuple[str, str, bool], ...] = ()


def keys_of(person: CapturedPerson) -> Keys:
    """Return the blind indexes under which a person is stored and found."""
    vault = crypto.vault()
    column = ContactPoint.VALUE_COLUMN
    number = person.national_id.number if person.national_id else ""
    phone = vault.blind_index(column, person.phone.e164) if person.phone else ""
    email = vault.blind_index(column, person.email) if person.email else ""
    name_key = person.name_key
    return Keys(
        likeness=Likeness(
            national_id=vault.blind_index(Customer.NATIONAL_ID_COLUMN, number) if number else "",
            name=vault.blind_index(Customer.NAME_COLUMN, name_key) if name_key else "",
            birth_date=person.birth_date,
            phones=frozenset({phone} - {""}),
            emails=frozenset({email} - {""}),
        ),
        points=tuple(
            (kind.value, index)
            for kind, index in ((ContactKind.PHONE, phone), (ContactKind.EMAIL, email))
            if index
        ),
    )


class Directory:
    """The known people among those handed in, and the new ones as they are added.

    Stored people are matched by the same rules as those of a file; so are people within one call.
    """

    def __init__(self) -> None:
        """Start empty; `load` fills it."""
        self.new: list[DirectoryEntry] = []
        self._known: dict[Keys, DirectoryEntry] = {}
        self._by_national_id: dict[str, DirectoryEntry] = {}
        self._by_point: dict[tuple[str, str], list[DirectoryEntry]] = {}
        self._primary: set[tuple[str, str]] = set()

    @classmethod
    def load(cls, people: Sequence[Keys]) -> "Directory":
        """Find the stored ones in a fixed number of queries, and lock them until the commit."""
        directory = cls()
        probes = [Probe(external_ids=(), likeness=keys.likeness) for keys in people]
        found = person_matching.find_people(probes=probes, links={})
        entries: dict[int, DirectoryEntry] = {}
        for keys, match in zip(people, found.matches, strict=True):
            if match.customer_id is not None:
                entry = entries.setdefault(match.customer_id, DirectoryEntry(match.customer_id))
                directory._known[keys] = entry
        directory._primary.update(found.owners)
        return directory

    def match(self, keys: Keys) -> DirectoryEntry | None:
        """Return the person with these keys, or None."""
        known = self._known.get(keys) or self._by_national_id.get(keys.likeness.national_id)
        if known is not None:
            return known
        for point in keys.points:
            for entry in self._by_point.get(point, ()):
                likeness = entry.likeness or Likeness()
                if is_same_person(keys.likeness, likeness, _KEY_OF_KIND[point[0]]):
                    return entry
        return None

    def add(self, keys: Keys, person: CapturedPerson) -> DirectoryEntry:
        """Note a new person and return their entry."""
        points = tuple((*point, point not in self._primary) for point in keys.points)
        self._primary.update(keys.points)
        entry = DirectoryEntry(None, keys.likeness, person, points)
        if keys.likeness.national_id:
            self._by_national_id[keys.likeness.national_id] = entry
        for point in keys.points:
            self._by_point.setdefault(point, []).append(entry)
        self.new.append(entry)
        return entry
