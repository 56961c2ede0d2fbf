"""Save, copy, take back and remove mappings: each change is a version of its own."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from customers.domain.imports.mapping import FileMapping, parse_mapping
from customers.domain.imports.mapping_json import MappingError
from customers.labels import mappings as mapping_labels
from customers.models import SavedMapping
from customers.selectors.imports.mappings import (
    definition_of,
    imports_with,
    mapping_names,
    shipped_names,
)
from loancrm.kernel import access
from loancrm.kernel.access import Actor
from loancrm.kernel.acting import acting
from loancrm.kernel.errors import LoanCrmError
from loancrm.kernel.words.phrases import gettext as _

PERMISSION: Final = "customers.import_customers"


class MappingRefused(LoanCrmError):
    """The mapping is missing or wrong; `facts` hold the path."""

    code = "mapping_refused"


class MappingNameTaken(LoanCrmError):
    """The name belongs to a mapping that ships with the product, or to another saved one."""

    code = "mapping_name_taken"


class MappingArchived(LoanCrmError):
    """The mapping is in the archive; it has to be taken out before it is used or changed."""

    code = "mapping_archived"


class MappingOutdated(LoanCrmError):
    """Somebody has saved another version meanwhile."""

    code = "mapping_outdated"


def load_mapping(name_or_path: str) -> FileMapping:
    """Return a mapping by name, shipped or saved, or one from a JSON file.

    Raises:
        MappingRefused: There is no such mapping, or it breaks the schema.
        MappingArchived: It is in the archive.
    """
    path = Path(name_or_path)
    if path.suffix == ".json":
        text = _read(path)
        return checked(parse_json(text), text=text)
    definition = definition_of(name_or_path)
    if definition is None:
        if SavedMapping.objects.filter(name=name_or_path).exists():
            raise _archived(name_or_path)
        raise _missing(name_or_path)
    return checked(definition)


def parse_json(text: str) -> Any:
    """Return what a JSON text says.

    Raises:
        MappingRefused: It is no JSON; the message names the line.
    """
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        raise MappingRefused(
            _("The mapping is not valid JSON (line %(line)s).") % {"line": error.lineno},
            line=error.lineno,
        ) from error


def checked(definition: object, *, text: str = "") -> FileMapping:
    """Return the mapping that a JSON document describes.

    Args:
        text: Of the file that it was read from, so that a mistake's line can be told.

    Raises:
        MappingRefused: It breaks the schema; the message names the place.
    """
    try:
        return parse_mapping(definition)
    except MappingError as error:
        raise MappingRefused(
            _("The mapping is wrong. %(fault)s.")
            % {"fault": mapping_labels.fault(error, text=text)},
            path=error.path,
            problem=error.problem,
        ) from error


def save_mapping(
    *,
    actor: Actor,
    definition: Mapping[str, Any],
    now: datetime,
    note: str = "",
    expected_version: int | None = None,
    text: str = "",
) -> SavedMapping:
    """Store a mapping under its own name as the version in use; an equal one is not stored again.

    Args:
        expected_version: Version that the author started from, 0 for a new name; None saves in any
            case.
        text: Of the file that the definition was read from.

    Raises:
        PermissionRefused: The actor may not import.
        MappingRefused: The definition breaks the schema.
        MappingNameTaken: The name is a shipped mapping's, or taken where a new one was expected.
        MappingOutdated: There is a later version than the author started from.
        MappingArchived: The name is in the archive.
    """
    act = acting(actor, PERMISSION, now=now)
    mapping = checked(definition, text=text)
    if mapping.name in shipped_names():
        raise MappingNameTaken(
            _("%(name)s is the name of a mapping that ships with the product; choose another.")
            % {"name": mapping.name},
            name=mapping.name,
        )
    with act:
        versions = SavedMapping.objects.select_for_update().filter(name=mapping.name)
        latest = versions.order_by("-version").first()
        if latest is not None and latest.archived_at is not None:
            raise _archived(mapping.name)
        _refuse_surprise(mapping.name, latest.version if latest else 0, expected_version)
        if latest is not None and latest.is_current and _is_same(latest.definition, definition):
            act.unchanged()
            return latest
        versions.filter(is_current=True).update(is_current=False)
        saved = SavedMapping.objects.create(
            name=mapping.name,
            version=latest.version + 1 if latest else 1,
            source=mapping.source,
            definition_text=json.dumps(definition, ensure_ascii=False),
            note=note[:200],
            author_label=actor.label,
            created_at=now,
        )
        facts = {"name": saved.name, "version": saved.version}
        act.record("customers.mapping_saved", on=saved, facts=facts, reason=note[:200])
    return saved


def copy_mapping(*, actor: Actor, name: str, new_name: str, now: datetime) -> SavedMapping:
    """Save the mapping in use under another name; its source stays.

    Raises:
        PermissionRefused: The actor may not import.
        MappingRefused: There is no mapping of this name, or the new name is no name.
        MappingNameTaken: The new name is taken.
    """
    access.require(actor, PERMISSION)
    definition = definition_of(name)
    if definition is None:
        raise _missing(name)
    copied = {**definition, "source": definition.get("source", name), "name": new_name}
    note = _("Copied from %(name)s") % {"name": name}
    return save_mapping(actor=actor, definition=copied, now=now, note=note, expected_version=0)


def bring_back(*, actor: Actor, mapping_id: int, now: datetime) -> SavedMapping:
    """Put an earlier version in use again, as a new version.

    Raises:
        PermissionRefused: The actor may not import.
    """
    access.require(actor, PERMISSION)
    old = SavedMapping.objects.get(pk=mapping_id)
    note = _("Version %(version)s again") % {"version": old.version}
    return save_mapping(actor=actor, definition=old.definition, now=now, note=note)


def remove_mapping(*, actor: Actor, name: str, now: datetime) -> bool:
    """Delete a saved mapping with all its versions, or archive it where imports have used it.

    Returns:
        Whether it was deleted; otherwise it is in the archive.

    Raises:
        PermissionRefused: The actor may not import.
        MappingRefused: There is no saved mapping of this name.
    """
    with acting(actor, PERMISSION, now=now) as act:
        versions = SavedMapping.objects.select_for_update().filter(name=name)
        keys = list(versions.values_list("pk", flat=True))
        if not keys:
            raise _missing(name)
        uses = imports_with(name)
        if uses:
            versions.filter(archived_at=None).update(archived_at=now)
        else:
            versions.delete()
        what = "archived" if uses else "deleted"
        facts = {"name": name, "versions": len(keys), "imports": uses}
        act.record(f"customers.mapping_{what}", on=(SavedMapping, max(keys)), facts=facts)
    return not uses


def take_out(*, actor: Actor, name: str, now: datetime) -> None:
    """Take a mapping out of the archive: it is offered and usable again.

    Raises:
        PermissionRefused: The actor may not import.
        MappingRefused: There is no saved mapping of this name.
    """
    with acting(actor, PERMISSION, now=now) as act:
        versions = SavedMapping.objects.select_for_update().filter(name=name)
        keys = list(versions.values_list("pk", flat=True))
        if not keys:
            raise _missing(name)
        if versions.exclude(archived_at=None).update(archived_at=None):
            taken_out = (SavedMapping, max(keys))
            act.record("customers.mapping_taken_out", on=taken_out, facts={"name": name})
        else:
            act.unchanged()


def _archived(name: str) -> MappingArchived:
    return MappingArchived(
        _("The mapping %(name)s is in the archive; take it out first.") % {"name": name}, name=name
    )


def _is_same(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """Return whether two definitions mean the same, however they are written."""
    text = "description"
    return one.get(text) == other.get(text) and checked(one) == checked(other)


def _refuse_surprise(name: str, latest: int, expected: int | None) -> None:
    if expected is None or expected == latest:
        return
    if expected == 0:
        raise MappingNameTaken(
            _("There is a mapping %(name)s already; choose another name.") % {"name": name},
            name=name,
        )
    raise MappingOutdated(
        _("Version %(latest)s of %(name)s was saved meanwhile; open it and change that one.")
        % {"latest": latest, "name": name},
        name=name,
        latest=latest,
    )


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise _missing(str(path)) from error


def _missing(name: str) -> MappingRefused:
    return MappingRefused(
        _("There is no mapping %(name)s; known are: %(names)s.")
        % {"name": name, "names": ", ".join(mapping_names())},
        name=name,
    )
