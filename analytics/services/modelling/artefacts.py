"""Stored versions: written once with a seal, read back only when nothing of it was changed."""

import json
from collections.abc import Mapping
from hashlib import sha256
from typing import Any

from analytics.domain.modelling.trained import ModelChangedError, ModelFormatError, text_of
from analytics.domain.uplift.stored import StoredModel, load_stored
from analytics.models import ModelVersion
from analytics.services.modelling.errors import StoredModelChanged
from loancrm.kernel.words.phrases import gettext as _


def seal_of(*, content: str, card: Mapping[str, Any], reference: Mapping[str, Any]) -> str:
    """Return the SHA-256 of all that is never changed of a version."""
    facts = json.dumps([card, reference], sort_keys=True, separators=(",", ":"), allow_nan=False)
    return sha256(f"{content}\n{facts}".encode()).hexdigest()


def sealed(
    *, model: StoredModel, card: Mapping[str, Any], reference: Mapping[str, Any]
) -> dict[str, Any]:
    """Return the columns of a version that hold the artefact."""
    content = text_of(model.to_json())
    return {
        "content": content,
        "digest": model.digest,
        "kind": model.kind.value,
        "card": card,
        "reference": reference,
        "seal": seal_of(content=content, card=card, reference=reference),
    }


def read_version(version: ModelVersion) -> StoredModel:
    """Return the model of a version; nothing in it is ever run.

    Raises:
        StoredModelChanged: Artefact, card or reference are not what was written.
    """
    try:
        model = load_stored(version.content)
    except (ModelChangedError, ModelFormatError) as error:
        raise _changed(version) from error
    seal = seal_of(content=version.content, card=version.card, reference=version.reference)
    # An artefact that is whole in itself may still be another one.
    if (model.digest, seal) != (version.digest, version.seal):
        raise _changed(version)
    return model


def is_whole(version: ModelVersion) -> bool:
    """Return whether a version is what was written."""
    try:
        read_version(version)
    except StoredModelChanged:
        return False
    return True


def _changed(version: ModelVersion) -> StoredModelChanged:
    return StoredModelChanged(
        _("Version %(number)s of the model was changed after its training and is not used.")
        % {"number": version.number},
        version=version.pk,
    )
