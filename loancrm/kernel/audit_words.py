"""The audit trail read aloud: what was done, to what and by whom, in the reader's language."""

from collections.abc import Mapping
from typing import Any

from django.apps import apps
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

# What comes before the point of an action, where it is no model's name.
SUBJECTS: Mapping[str, Any] = {
    "berka": gettext_lazy("Bank history"),
    "channel": gettext_lazy("Channel"),
    "campaign": gettext_lazy("Campaign"),
    "consents": gettext_lazy("Consents"),
    "contacts": gettext_lazy("Contact details"),
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
    "report": gettext_lazy("Report"),
    "scores": gettext_lazy("Scores"),
    "segment": gettext_lazy("Segment"),
    "sign_in": gettext_lazy("Sign-in"),
    "suppression": gettext_lazy("Stop list"),
    "touches": gettext_lazy("Past contacts"),
    "user": gettext_lazy("User"),
}
# What comes after it.
DEEDS: Mapping[str, Any] = {
    "added": gettext_lazy("added"),
    "apply": gettext_lazy("applied"),
    "approved": gettext_lazy("approved"),
    "begun": gettext_lazy("begun"),
    "cancelled": gettext_lazy("cancelled"),
    "change": gettext_lazy("changed"),
    "changed": gettext_lazy("changed"),
    "close": gettext_lazy("closed"),
    "completed": gettext_lazy("completed"),
    "configured": gettext_lazy("set up"),
    "confirm": gettext_lazy("confirmed"),
    "content_revised": gettext_lazy("text changed"),
    "create": gettext_lazy("created"),
    "created": gettext_lazy("created"),
    "delete": gettext_lazy("deleted"),
    "deleted": gettext_lazy("deleted"),
    "demo_generated": gettext_lazy("made up for the demonstration"),
    "derive": gettext_lazy("derived"),
    "dispatch_released": gettext_lazy("held sending released"),
    "draft": gettext_lazy("back to draft"),
    "edit": gettext_lazy("changed"),
    "export_approved": gettext_lazy("export approved"),
    "export_downloaded": gettext_lazy("export downloaded"),
    "export_own_data": gettext_lazy("own data handed out"),
    "export_refused": gettext_lazy("export refused"),
    "export_rejected": gettext_lazy("export refused"),
    "export_requested": gettext_lazy("export asked for"),
    "hand_in": gettext_lazy("handed in"),
    "import": gettext_lazy("imported"),
    "import_page": gettext_lazy("a part of an import done"),
    "import_repair": gettext_lazy("refused rows repaired"),
    "import_undo": gettext_lazy("import undone"),
    "import_undo_begun": gettext_lazy("undo of an import begun"),
    "import_undo_page": gettext_lazy("a part of an import undone"),
    "in_review": gettext_lazy("submitted for approval"),
    "keep_apart": gettext_lazy("kept apart"),
    "look": gettext_lazy("looked at"),
    "mapping_saved": gettext_lazy("mapping saved"),
    "mapping_taken_out": gettext_lazy("mapping taken out"),
    "merge": gettext_lazy("merged"),
    "own_approval_refused": gettext_lazy("approval of own work refused"),
    "paused": gettext_lazy("paused"),
    "previewed": gettext_lazy("preview looked at"),
    "propose_merges": gettext_lazy("merges proposed"),
    "publish": gettext_lazy("published"),
    "record": gettext_lazy("recorded"),
    "refresh": gettext_lazy("refreshed"),
    "rejected_row_opened": gettext_lazy("refused row opened"),
    "replace_members": gettext_lazy("members replaced"),
    "request": gettext_lazy("received"),
    "resumed": gettext_lazy("resumed"),
    "retire": gettext_lazy("retired"),
    "reveal": gettext_lazy("shown in clear"),
    "rotate": gettext_lazy("changed over"),
    "running": gettext_lazy("launched"),
    "search_duplicates": gettext_lazy("search for duplicates started"),
    "settle": gettext_lazy("settled"),
    "started": gettext_lazy("started"),
    "stop": gettext_lazy("taken out of use"),
    "store": gettext_lazy("stored"),
    "test_sent": gettext_lazy("test message sent"),
    "unmerge": gettext_lazy("merge taken back"),
    "updated": gettext_lazy("changed"),
    "withdraw": gettext_lazy("withdrawn"),
}
ACTORS: Mapping[str, Any] = {
    "system": gettext_lazy("The system"),
    "user": gettext_lazy("A person"),
    "partner": gettext_lazy("A partner"),
}


def action(name: str) -> str:
    """Return an action as words: `campaign.running` is «Campaign: launched»."""
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


def is_known(name: str) -> bool:
    """Return whether every part of an action has words."""
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
