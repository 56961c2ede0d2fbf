"""The audit trail read aloud: what was done, to what and by whom, in the reader's language."""

from collections.abc import Mapping
from typing import Any

from django.apps import apps
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy

# What comes before the point of an action, where it is no model's name.
SUBJECTS: Mapping[str, Any] = {
    "audit": gettext_lazy("Audit trail"),
    "berka": gettext_lazy("Bank history"),
    "channel": gettext_lazy("Channel"),
    "campaign": gettext_lazy("Campaign"),
    "consents": gettext_lazy("Consents"),
    "contacts": gettext_lazy("Contact details"),
    "deployment": gettext_lazy("Installation"),
    "customer": gettext_lazy("Customer"),
    "customers": gettext_lazy("Customers"),
    "datasource": gettext_lazy("Data source"),
    "discovery": gettext_lazy("Search for groups"),
    "events": gettext_lazy("Events"),
    "exports": gettext_lazy("Exports"),
    "instalments": gettext_lazy("Instalments"),
    "applications": gettext_lazy("Applications"),
    "keys": gettext_lazy("Keys"),
    "lead_form": gettext_lazy("Enquiry form"),
    "lifecycle": gettext_lazy("Life cycle"),
    "loans": gettext_lazy("Loans"),
    "message": gettext_lazy("Message"),
    "message_template": gettext_lazy("Message template"),
    "messages": gettext_lazy("Messages"),
    "partner": gettext_lazy("Partner"),
    "preferences": gettext_lazy("Preferences"),
    "privacy": gettext_lazy("Privacy request"),
    "product": gettext_lazy("Product"),
    "products": gettext_lazy("Products"),
    "protected_override": gettext_lazy("Leave for a protected attribute"),
    "receipt": gettext_lazy("Receipt"),
    "receipts": gettext_lazy("Receipts"),
    "relationships": gettext_lazy("Ties"),
    "repayments": gettext_lazy("Repayments"),
    "reply": gettext_lazy("Reply"),
    "report": gettext_lazy("Report"),
    "scores": gettext_lazy("Scores"),
    "segment": gettext_lazy("Segment"),
    "sign_in": gettext_lazy("Sign-in"),
    "stop": gettext_lazy("Stop list"),
    "stops": gettext_lazy("Stop list"),
    "suppression": gettext_lazy("Stop list"),
    "touches": gettext_lazy("Past contacts"),
    "user": gettext_lazy("User"),
}
# What comes after it.
DEEDS: Mapping[str, Any] = {
    "add": gettext_lazy("added"),
    "added": gettext_lazy("added"),
    "apply": gettext_lazy("applied"),
    "approved": gettext_lazy("approved"),
    "begun": gettext_lazy("begun"),
    "broken": gettext_lazy("found broken"),
    "cancelled": gettext_lazy("cancelled"),
    "change": gettext_lazy("changed"),
    "changed": gettext_lazy("changed"),
    "clusters": gettext_lazy("by clusters"),
    "close": gettext_lazy("closed"),
    "completed": gettext_lazy("completed"),
    "configured": gettext_lazy("set up"),
    "confirm": gettext_lazy("confirmed"),
    # Elsewhere the word heads a column of times.
    "create": pgettext_lazy("deed", "created"),
    "created": pgettext_lazy("deed", "created"),
    "delete": gettext_lazy("deleted"),
    "deleted": gettext_lazy("deleted"),
    "demo_generated": gettext_lazy("made up for the demonstration"),
    "derive": gettext_lazy("derived"),
    "dispatch_released": gettext_lazy("held sending released"),
    "draft": gettext_lazy("back to draft"),
    "edit": gettext_lazy("changed"),
    "ended": gettext_lazy("ended"),
    "export": gettext_lazy("exported"),
    "export_approved": gettext_lazy("export approved"),
    "export_downloaded": gettext_lazy("export downloaded"),
    "export_own_data": gettext_lazy("own data handed out"),
    "export_refused": gettext_lazy("export refused"),
    "export_rejected": gettext_lazy("export refused"),
    "export_requested": gettext_lazy("export asked for"),
    "fate_decided": gettext_lazy("of unknown fate decided"),
    "hand_in": gettext_lazy("handed in"),
    "held_cancelled": gettext_lazy("held messages given up"),
    "held_released": gettext_lazy("held messages released"),
    "import": gettext_lazy("imported"),
    "import_cancel_asked": gettext_lazy("end of an import asked for"),
    "import_draft_begun": gettext_lazy("import prepared"),
    "import_draft_discarded": gettext_lazy("prepared import discarded"),
    "import_page": gettext_lazy("a part of an import done"),
    "import_pause_asked": gettext_lazy("pause of an import asked for"),
    "import_repair": gettext_lazy("refused rows repaired"),
    "import_resumed": gettext_lazy("import resumed"),
    "import_submitted": gettext_lazy("import started"),
    "import_undo": gettext_lazy("import undone"),
    "import_undo_begun": gettext_lazy("undo of an import begun"),
    "import_undo_page": gettext_lazy("a part of an import undone"),
    "in_review": gettext_lazy("submitted for approval"),
    "keep_apart": gettext_lazy("kept apart"),
    "lift": gettext_lazy("taken off"),
    "look": gettext_lazy("looked at"),
    "lookalike": gettext_lazy("by likeness"),
    "mapping_archived": gettext_lazy("mapping put away"),
    "mapping_deleted": gettext_lazy("mapping deleted"),
    "mapping_saved": gettext_lazy("mapping saved"),
    "mapping_taken_out": gettext_lazy("mapping taken out"),
    "merge": gettext_lazy("merged"),
    "met": gettext_lazy("met for the first time"),
    "messages_revised": gettext_lazy("messages changed"),
    "no_refusal": gettext_lazy("found to be no refusal"),
    "own_approval_refused": gettext_lazy("approval of own work refused"),
    "paused": gettext_lazy("paused"),
    "previewed": gettext_lazy("preview looked at"),
    "propose_merges": gettext_lazy("merges proposed"),
    "publish": gettext_lazy("published"),
    "read": gettext_lazy("read"),
    "record": gettext_lazy("recorded"),
    "recorded": gettext_lazy("recorded"),
    "refresh": gettext_lazy("refreshed"),
    "refusal": gettext_lazy("found to be a refusal"),
    "rejected": gettext_lazy("sent back"),
    "rejected_row_opened": gettext_lazy("refused row opened"),
    "reopened": gettext_lazy("opened again"),
    "replace_members": gettext_lazy("members replaced"),
    "request": gettext_lazy("received"),
    "requested": gettext_lazy("asked for"),
    "restore_accepted": gettext_lazy("restore accepted"),
    "resumed": gettext_lazy("resumed"),
    "retire": gettext_lazy("retired"),
    "rfm": gettext_lazy("by recency, frequency and amount"),
    "reveal": gettext_lazy("shown in clear"),
    "rotate": gettext_lazy("changed over"),
    "running": gettext_lazy("launched"),
    "search_duplicates": gettext_lazy("search for duplicates started"),
    "sending_confirmed": gettext_lazy("sending confirmed"),
    "set_aside_retried": gettext_lazy("interrupted messages tried again"),
    "settle": gettext_lazy("settled"),
    "sign_in_failed": gettext_lazy("sign-in failed"),
    "sign_in_released": gettext_lazy("sign-in released"),
    "signed_in": gettext_lazy("signed in"),
    "signed_out": gettext_lazy("signed out"),
    "started": gettext_lazy("started"),
    "stop": gettext_lazy("taken out of use"),
    "store": gettext_lazy("stored"),
    "submitted": gettext_lazy("submitted for approval"),
    "switched_off": gettext_lazy("switched off"),
    "switched_on": gettext_lazy("switched on"),
    "tested": gettext_lazy("tested"),
    "test_sent": gettext_lazy("test message sent"),
    "unknown_export": gettext_lazy("list of unknown fate handed out"),
    "unmerge": gettext_lazy("merge taken back"),
    "updated": gettext_lazy("changed"),
    "verified": gettext_lazy("verified"),
    "withdraw": gettext_lazy("withdrawn"),
}
# Deeds without a point in their names.
WHOLE: Mapping[str, Any] = {
    "partner_client_added": gettext_lazy("Partner: API client added"),
    "partner_client_removed": gettext_lazy("Partner: API client removed"),
    "partner_conversions_reported": gettext_lazy("Partner: conversions reported"),
    "partner_events_reported": gettext_lazy("Partner: events reported"),
    "partner_leads_captured": gettext_lazy("Partner: leads handed in"),
    "partner_registered": gettext_lazy("Partner: registered"),
    "share_added": gettext_lazy("Shared with a person or role"),
    "share_removed": gettext_lazy("Sharing ended"),
}
ACTORS: Mapping[str, Any] = {
    "system": gettext_lazy("The system"),
    "user": gettext_lazy("A person"),
    "partner": gettext_lazy("A partner"),
}


# By what stands before the colon of the actor's label.
PARTS: Mapping[str, Any] = {
    "job": gettext_lazy("a scheduled job"),
    "page": gettext_lazy("a public page"),
    "command": gettext_lazy("a command"),
    "task": gettext_lazy("a scheduled job"),
    "verify_audit": gettext_lazy("a scheduled job"),
    "discovery": gettext_lazy("a discovery"),
}
OBJECTS: Mapping[str, Any] = {
    "all": gettext_lazy("all of them"),
    "batch": gettext_lazy("several at once"),
    "changed": gettext_lazy("those that changed"),
    "some": gettext_lazy("several at once"),
}


def action(name: str) -> str:
    """Return an action as words: `campaign.running` is «Campaign: launched»."""
    if name in WHOLE:
        return str(WHOLE[name])
    subject, _point, deed = name.partition(".")
    words = {"subject": _subject(subject), "deed": DEEDS.get(deed) or deed.replace("_", " ")}
    return _("%(subject)s: %(deed)s") % words if deed else str(words["subject"])


def thing(object_type: str) -> str:
    """Return what kind of thing an entry is about: `campaigns.Campaign` is «campaign»."""
    try:
        return str(apps.get_model(object_type)._meta.verbose_name)  # noqa: SLF001 - Django's documented way to a model's name
    except (LookupError, ValueError):
        return _subject(object_type)


def actor_kind(kind: str) -> str:
    """Return what kind of actor it was."""
    return str(ACTORS.get(kind, kind))


def system(label: str) -> str:
    """Return which part of the system acted by itself: `job:campaigns.tick` is a scheduled job."""
    part, _colon, _name = label.partition(":")
    words = {"system": actor_kind("system"), "part": PARTS.get(part, "")}
    return _("%(system)s (%(part)s)") % words if words["part"] else str(words["system"])


def object_words(object_id: str) -> str:
    """Return the words for an object that is no single row; empty for any other."""
    return str(OBJECTS.get(object_id, ""))


def is_known(name: str) -> bool:
    """Return whether every part of an action has words."""
    if name in WHOLE:
        return True
    subject, _point, deed = name.partition(".")
    return _has_words(subject) and deed in DEEDS


def _has_words(subject: str) -> bool:
    return subject in SUBJECTS or subject != _subject(subject)


def _subject(name: str) -> str:
    if name in SUBJECTS:
        return str(SUBJECTS[name])
    for model in apps.get_models():
        options = model._meta  # noqa: SLF001 - as above
        if options.model_name == name:
            return str(options.verbose_name)
    return name.replace("_", " ")
