"""The demo's campaigns that go on by themselves: one by its calendar, one by what people do."""

import csv
from pathlib import Path

from analytics.domain.demo import plan
from analytics.domain.demo.behaviour import share
from customers.domain.demo.people import SOURCE
from customers.domain.events.event import EventName
from customers.models import Customer
from customers.services.events import from_file
from loancrm.kernel import clock
from loancrm.kernel.access import Actor

_STARTED_SHARE = 0.06


def begin_applications(*, seed: int, folder: Path, actor: Actor) -> int:
    """Take in that some people began to apply in the app; return how many."""
    path = folder / "started_applications.csv"
    people = Customer.objects.filter(source=SOURCE).order_by("pk")
    count = 0
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["external_id", "event", "occurred_at", "event_id", "channel"])
        for external_id in people.values_list("external_id", flat=True):
            if share(seed, "began to apply", external_id) < _STARTED_SHARE:
                name, at = EventName.APPLICATION_STARTED, plan.STARTED_AT.isoformat()
                writer.writerow([external_id, name, at, f"started-{external_id}", "app"])
                count += 1
    from_file.import_events(actor=actor, path=path, now=clock.now(), source=SOURCE)
    return count
