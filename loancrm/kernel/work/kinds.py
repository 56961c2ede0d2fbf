"""The kinds of long work that the apps' manifests declare."""

from collections.abc import Mapping

from django.apps import apps
from django.conf import settings
from django.db.models import Model

from loancrm.kernel.access import Actor, is_allowed
from loancrm.kernel.manifest import WorkKind


def all_kinds() -> Mapping[str, WorkKind]:
    """Return every kind by its name."""
    found: Mapping[str, WorkKind] = settings.LOANCRM_MANIFESTS.work_kinds
    return found


def kind_of(name: str) -> WorkKind:
    """Return a kind by its name."""
    return all_kinds()[name]


def visible_kinds(actor: Actor | None) -> tuple[WorkKind, ...]:
    """Return the kinds of which somebody may see the work."""
    return tuple(kind for kind in all_kinds().values() if is_allowed(actor, kind.view))


def subject_model(kind: WorkKind) -> type[Model]:
    """Return the model of what the work is about; its rows have a `work`."""
    return apps.get_model(kind.subject)
