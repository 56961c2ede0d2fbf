"""Look at people for signals: alerts begin and end, marketing stops and resumes."""

from bisect import bisect_right
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Q

from analytics.domain.warning.rules import RuleTerms
from analytics.domain.warning.signals import PERSON_SIGNALS, SignalFinding, evaluate_signal
from analytics.models import RiskAlert, WarningRule
from analytics.selectors.warning.person_facts import load_person_facts
from analytics.selectors.warning.rule_terms import active_rules
from analytics.selectors.warning.watched_people import (
    people_to_watch,
    people_with_facts,
)
from analytics.services.warning.alerts import cooling_keys, end_alerts, write_bars, write_cases
from customers.models import Customer
from loancrm.kernel import clock
from loancrm.kernel.access import Actor
from loancrm.kernel.acting import Act, acting
from loancrm.kernel.changes import feed
from loancrm.kernel.changes.feed import Followed
from loancrm.kernel.database import leases

ADD = "analytics.add_riskalert"
CONSUMER = "early warning"
TABLES = ("loans", "repayments", "scores", "bureau_pulls", "tradelines", "inquiries")
_BATCH = 500
_LEASE_SECONDS = 300.0
_Key = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Watched:
    """How many people were looked at, and what changed."""

    people: int = 0
    opened: int = 0
    ended: int = 0
    barred: int = 0
    freed: int = 0

    def plus(self, other: "Watched") -> "Watched":
        """Return the sum of both."""
        return Watched(
            self.people + other.people,
            self.opened + other.opened,
            self.ended + other.ended,
            self.barred + other.barred,
            self.freed + other.freed,
        )


def sweep(*, actor: Actor, holder: str, read_clock: Callable[[], datetime]) -> Watched:
    """Look at everybody who has a loan that runs or an alert that is open.

    Time alone makes signals speak: a first payment is missed when nothing happens. One worker at a
    time; whoever comes beside it does nothing. The clock is read for every batch: a long sweep goes
    past midnight, and by yesterday's facts it would end what began today.

    Raises:
        PermissionRefused: The actor may not raise alerts.
    """
    acting(actor, ADD, now=read_clock())
    name = f"{CONSUMER} sweep"
    if not leases.claim(name=name, holder=holder, seconds=_LEASE_SECONDS):
        return Watched()
    look = _Look(actor, name, holder, read_clock)
    try:
        look.at_all(people_to_watch)
    finally:
        leases.release(name=name, holder=holder)
    return look.total


def follow(*, actor: Actor, holder: str, read_clock: Callable[[], datetime]) -> Watched:
    """Look at the people about whom something new has come in, within seconds.

    What was looked at is left behind only when all of it was: whoever loses the lease on the way
    leaves the changes to the one who took it.

    Raises:
        PermissionRefused: The actor may not raise alerts.
    """
    now = read_clock()
    acting(actor, ADD, now=now)
    name = f"{CONSUMER} changes"
    if not leases.claim(name=name, holder=holder, seconds=_LEASE_SECONDS):
        return Watched()
    look = _Look(actor, name, holder, read_clock)
    try:
        if not feed.has_news(consumer=CONSUMER, tables=TABLES, now=now):
            return look.total
        changes = feed.read(
            consumer=CONSUMER, tables={table: Followed() for table in TABLES}, now=now
        )
        pages = _pages(changes.subjects) if changes.is_complete else people_with_facts
        if look.at_all(pages):
            feed.advance(changes)
    finally:
        leases.release(name=name, holder=holder)
    return look.total


@dataclass(slots=True)
class _Look:
    """One worker's look at many people, while it holds a lease."""

    actor: Actor
    lease: str
    holder: str
    read_clock: Callable[[], datetime]
    total: Watched = Watched()

    def at_all(self, pages: Callable[..., list[int]]) -> bool:
        """Look at page after page; return whether the lease was held to the end."""
        last = 0
        while ids := pages(after=last, count=_BATCH):
            if not leases.claim(name=self.lease, holder=self.holder, seconds=_LEASE_SECONDS):
                return False
            last = ids[-1]
            found = watch_people(actor=self.actor, customer_ids=ids, now=self.read_clock())
            self.total = self.total.plus(found)
        return True


def _pages(subjects: Sequence[int]) -> Callable[..., list[int]]:
    """Return a reader of pages of keys that rise."""

    def page(*, after: int, count: int) -> list[int]:
        start = bisect_right(subjects, after)
        return list(subjects[start : start + count])

    return page


def watch_people(*, actor: Actor, customer_ids: Collection[int], now: datetime) -> Watched:
    """Find what signals say of these people today, and let alerts begin and end by it.

    A rule that still finds what its open alert is about says nothing new: one episode, one alert,
    one case. One that has ended begins again after its cool-down at the earliest. Safe to run twice
    and beside itself: the open alert of a rule about a person is unique in the database. A fixed
    number of queries, whatever the number of people.

    Args:
        customer_ids: At most some thousands.

    Raises:
        PermissionRefused: The actor may not raise alerts.
    """
    act = acting(actor, ADD, now=now)
    with act:
        # First of all: whoever looks at the same people beside this reads their facts afterwards,
        # and never ends an alert by facts that are older than it. Rows that refer to the people
        # may be added meanwhile: an import, which takes them in its own order, waits for nobody.
        people = Customer.objects.filter(pk__in=customer_ids).order_by("pk")
        list(people.select_for_update(no_key=True).values_list("pk"))
        rules = active_rules(PERSON_SIGNALS)
        today = now.astimezone(clock.company_zone()).date()
        facts = load_person_facts(customer_ids=customer_ids, on=today)
        found: dict[_Key, SignalFinding] = {}
        for row, terms in rules:
            for key, own in facts.items():
                finding = evaluate_signal(terms.signal, own, terms.limits, on=today)
                if finding is not None:
                    found[row.pk, key] = finding
        return _write_alerts(act, people=customer_ids, rules=rules, found=found)


def _write_alerts(
    act: Act,
    *,
    people: Collection[int],
    rules: Sequence[tuple[WarningRule, RuleTerms]],
    found: Mapping[_Key, SignalFinding],
) -> Watched:
    """Begin and end the alerts of these people by what their rules found."""
    by_id = {row.pk: (row, terms) for row, terms in rules}
    alerts = RiskAlert.objects.filter(customer_id__in=people)
    open_now = {
        (alert.rule_id, alert.customer_id): alert
        for alert in alerts.filter(ended_at=None).select_related("rule")
        if alert.customer_id is not None
    }
    cooling = cooling_keys(alerts, "customer_id", rules=by_id, now=act.now)
    opened = _open(act, by_id, found, open_now.keys() | cooling)
    ended = _end(act, open_now, found, by_id)
    barred, freed = write_bars(act, people=people)
    if opened or ended or barred or freed:
        act.record(
            "risk_alerts.watch",
            on=(RiskAlert, "people"),
            facts={"opened": opened, "ended": ended, "barred": barred, "freed": freed},
        )
    else:
        act.unchanged()
    return Watched(len(people), opened, ended, barred, freed)


def _open(
    act: Act,
    rules: Mapping[int, tuple[WarningRule, RuleTerms]],
    found: Mapping[_Key, SignalFinding],
    known: Collection[_Key],
) -> int:
    new = [key for key in sorted(found) if key not in known]
    if not new:
        return 0
    RiskAlert.objects.bulk_create(
        [
            RiskAlert(
                rule_id=rule_id,
                customer_id=customer_id,
                severity=rules[rule_id][1].severity,
                facts=dict(found[rule_id, customer_id].facts),
                opened_at=act.now,
                seen_at=act.now,
            )
            for rule_id, customer_id in new
        ],
        # Somebody else may have found the same at this moment.
        ignore_conflicts=True,
    )
    fresh = RiskAlert.objects.filter(
        Q(ended_at=None, case=None), customer_id__in={key for _rule, key in new}
    )
    return write_cases(fresh, rules=rules, now=act.now)


def _end(
    act: Act,
    open_now: Mapping[_Key, RiskAlert],
    found: Mapping[_Key, SignalFinding],
    rules: Mapping[int, tuple[WarningRule, RuleTerms]],
) -> int:
    """End what is found no more, and what belongs to a rule that is off."""
    over = [
        alert
        for key, alert in open_now.items()
        # Who has seen it later than this look's time knows more.
        if key not in found and key[0] in rules and alert.seen_at <= act.now
    ]
    off = [alert for alert in open_now.values() if not alert.rule.is_active]
    seen = [alert for key, alert in open_now.items() if key in found and alert.seen_at < act.now]
    return end_alerts(over=over, off=off, seen=seen, now=act.now)
