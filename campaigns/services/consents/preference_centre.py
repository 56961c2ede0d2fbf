"""What somebody chose on the preference page, stored at once: consents, stops, and preferences."""

from collections.abc import Sequence
from datetime import datetime

from campaigns.domain.receipts.stops import Stop, StopSource
from campaigns.services.consents import preferences, stop_list
from campaigns.services.consents.preferences import EVENT_SOURCE
from customers.domain.consents.consent import ConsentChannel, Purpose
from customers.domain.consents.preferences import PreferenceChoices
from customers.domain.events.event import EventName, ReportedEvent
from customers.models import ConsentState, Customer
from customers.selectors import consents as ledger
from customers.services.consents import ledger as consents
from customers.services.consents.ledger import ConsentChange
from customers.services.events import log
from customers.services.privacy import preferences as customer_preferences
from loancrm.kernel.access import Actor
from loancrm.kernel.acting import acting

SOURCE = StopSource.PREFERENCE_CENTRE


def change(
    *,
    actor: Actor,
    customer_id: int,
    choices: PreferenceChoices,
    policy_version: str,
    evidence: str,
    now: datetime,
) -> int:
    """Bring consents and preferences to what the person chose.

    Every difference makes a row of a ledger and an event; the same choices again change nothing. A
    consent that is given again ends the person's own opt-out, but no stop for another reason.

    Args:
        policy_version: Version of the text that was shown.
        evidence: What proves the choice; no words of the person.

    Returns:
        How many consents and preferences changed.

    Raises:
        PermissionRefused: The actor may not change consents.
    """
    with acting(actor, "customers.change_consentstate", now=now) as act:
        customer = Customer.objects.select_for_update().get(pk=customer_id)
        granted = _grant(customer_id, choices, policy_version, evidence, now)
        stopped = _stop(customer_id, choices, now)
        changed = customer_preferences.append_settings(
            customer=customer, wanted=choices.settings, source=SOURCE, evidence=evidence, now=now
        )
        names = [f"{channel}.{purpose}" for channel, purpose in (*granted, *stopped)]
        if changed:
            _note(customer_id, EventName.PREFERENCES_CHANGED, "", ",".join(sorted(changed)), now)
        if names or changed:
            act.record(
                "preferences.change",
                on=(Customer, customer_id),
                facts={"consents": sorted(names), "preferences": sorted(changed)},
            )
        else:
            act.unchanged()
    return len(names) + len(changed)


def _grant(
    customer_id: int, choices: PreferenceChoices, policy_version: str, evidence: str, now: datetime
) -> Sequence[tuple[str, str]]:
    wanted = sorted(choices.granted & choices.offered)
    kept = ledger.granted_now(customer_id, now=now)
    fresh = consents.append_changes(
        changes=[
            ConsentChange(
                customer_id,
                channel,
                purpose,
                is_granted=True,
                source=SOURCE,
                evidence=evidence,
                policy_version=policy_version,
            )
            for channel, purpose in wanted
            if (channel, purpose) not in kept
        ],
        now=now,
    )
    for channel, purpose in wanted:
        stop_list.lift_own(customer_id=customer_id, channel=channel, purpose=purpose, now=now)
    for item in fresh:
        _note(customer_id, EventName.OPTED_IN, item.channel, item.purpose, now)
    return [(item.channel, item.purpose) for item in fresh]


def _stop(customer_id: int, choices: PreferenceChoices, now: datetime) -> Sequence[tuple[str, str]]:
    """Stop what is not wanted; what was refused before, or never agreed to, needs no new row."""
    held = _held(customer_id)
    consents.settle_unclear(
        words=[
            ConsentChange(customer_id, *pair, is_granted=False, source=SOURCE)
            for pair in choices.offered - choices.granted
        ],
        now=now,
    )
    refused = [pair for pair in sorted(choices.offered - choices.granted) if held.get(pair, False)]
    preferences.append_stops(
        stops=[
            Stop(
                customer_id=customer_id,
                channel=channel,
                purpose=purpose,
                key=f"preferences:{customer_id}:{channel}:{purpose}:{now.isoformat()}",
                source=SOURCE,
                occurred_at=now,
            )
            for channel, purpose in refused
        ],
        now=now,
    )
    return refused


def _held(customer_id: int) -> dict[tuple[ConsentChannel, Purpose], bool]:
    rows = ConsentState.objects.filter(customer_id=customer_id)
    return {
        (ConsentChannel(channel), Purpose(purpose)): is_granted
        for channel, purpose, is_granted in rows.values_list("channel", "purpose", "is_granted")
    }


def _note(customer_id: int, name: EventName, channel: str, subject: str, now: datetime) -> None:
    key = f"{name}:{customer_id}:{channel}:{subject}:{now.isoformat()}"
    log.append_events(
        events=[
            ReportedEvent(
                source=EVENT_SOURCE,
                external_id="",
                customer_id=customer_id,
                name=name,
                occurred_at=now,
                dedup_key=key[:120],
                channel=channel,
                subject=subject,
            )
        ],
        now=now,
    )
