"""One message a person and campaign: the last one, whose state is what became of the person."""

from django.db.models import Exists, OuterRef

from campaigns.models import Message


def is_in_later_run() -> Exists:
    """Return whether a later run of the same campaign serves a message's person."""
    later = Message.objects.filter(
        dispatch__campaign=OuterRef("dispatch__campaign"),
        customer=OuterRef("customer"),
        dispatch__run_number__gt=OuterRef("dispatch__run_number"),
    )
    return Exists(later)


def is_served_later() -> Exists:
    """Return whether a later step of the same run serves a message's person.

    Whoever counts people by the state of their message leaves such messages out, or counts a person
    whom a fallback reached as not reached too.
    """
    later = Message.objects.filter(
        dispatch__campaign=OuterRef("dispatch__campaign"),
        customer=OuterRef("customer"),
        dispatch__position__gt=OuterRef("dispatch__position"),
        dispatch__run_number=OuterRef("dispatch__run_number"),
    )
    return Exists(later)
