"""Keep what was learned as plain JSON with a digest, and read it back only when it is unchanged."""

import hashlib
import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from analytics.models import DiscoveryModel
from loancrm.kernel.errors import LoanCrmError
from loancrm.kernel.words.phrases import gettext as _


class DiscoveryModelUnknown(LoanCrmError):
    """No model of this name was stored."""

    code = "discovery_model_unknown"


class DiscoveryModelChanged(LoanCrmError):
    """A stored model is not what was written: it must not choose people."""

    code = "discovery_model_changed"


def write_model(
    *, method: str, name: str, content: Mapping[str, Any], as_of: datetime, now: datetime
) -> DiscoveryModel:
    """Store a model under the version that its content gives it; the same content is one row.

    For services that check the permission and write the audit entry.
    """
    text = json.dumps(content, sort_keys=True, separators=(",", ":"), allow_nan=False)
    digest = _digest(text)
    stored, _created = DiscoveryModel.objects.get_or_create(
        method=method,
        name=name,
        version=_version(method, digest),
        defaults={"content": text, "digest": digest, "as_of": as_of, "created_at": now},
    )
    return stored


def latest(*, method: str, name: str) -> tuple[DiscoveryModel, dict[str, Any]]:
    """Return the newest stored model of a name and its content.

    Raises:
        DiscoveryModelUnknown: There is none.
        DiscoveryModelChanged: The content is not what its digest says.
    """
    rows = DiscoveryModel.objects.filter(method=method, name=name)
    stored = rows.order_by("-created_at", "-pk").first()
    if stored is None:
        raise DiscoveryModelUnknown(_("There is no model “%(name)s”.") % {"name": name}, name=name)
    digest = _digest(stored.content)
    # Scores, lists and audit entries name the version, which is of the content too.
    if (digest, _version(method, digest)) != (stored.digest, stored.version):
        raise DiscoveryModelChanged(
            _("The stored model “%(name)s” was changed and is not used.") % {"name": name},
            name=name,
        )
    content: dict[str, Any] = json.loads(stored.content)
    return stored, content


def _version(method: str, digest: str) -> str:
    return f"{method}-{digest[:12]}"


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
