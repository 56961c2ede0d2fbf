"""From a check to the import of the very file that was checked."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from customers.domain.imports.states import ImportState
from customers.models import ImportBatch
from customers.services.imports.files import hand_file_on
from customers.services.imports.pipeline import PERMISSION
from customers.services.imports.runs import start_work
from customers.services.sources import registry
from loancrm.kernel.access import Actor
from loancrm.kernel.acting import acting
from loancrm.kernel.errors import LoanCrmError
from loancrm.kernel.words.phrases import gettext as _

# What an import has in common with the check before it.
_CHECKED: Final = (
    "source",
    "file_name",
    "file_digest",
    "encoding",
    "mode",
    "limits",
)


class CheckedFileGone(LoanCrmError):
    """The file of a check cannot be imported: it is gone."""

    code = "import_file_not_kept"


def import_checked(*, actor: Actor, batch_id: int, now: datetime) -> ImportBatch:
    """Import the very file that was checked, by the mapping, mode and limits of the check.

    Raises:
        PermissionRefused: The actor may not import.
        CheckedFileGone: The file of the check was imported already, or is no longer kept.
        SourceUnknown, SourceBarred: See `submit`.
    """
    act = acting(actor, PERMISSION, now=now)
    check = ImportBatch.objects.get(pk=batch_id)
    registry.admit(actor=actor, name=check.source, now=now, is_dry_run=False)
    batch = ImportBatch(
        **{name: getattr(check, name) for name in _CHECKED},
        mapping={name: check.mapping[name] for name in ("name", "content")},
        state=ImportState.QUEUED,
        actor_label=actor.label,
        created_at=now,
    )
    with act:
        batch.work = start_work(actor=actor, batch=batch, now=now)
        batch.save()
        done = ImportBatch.objects.select_for_update().filter(
            pk=batch_id, state=ImportState.DONE, is_dry_run=True
        )
        if not done.exists() or not hand_file_on(check, batch):
            raise CheckedFileGone(
                _("The file of this check is not kept any more, or was imported; upload it again.")
            )
        act.record("customers.import_submitted", on=batch)
    return batch
