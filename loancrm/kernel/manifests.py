"""The manifests of all apps put together; whatever does not fit is refused at the start."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from django.core.exceptions import ImproperlyConfigured

from loancrm.kernel.jobs import Job
from loancrm.kernel.manifest import (
    AdminPages,
    AuditWords,
    ChangeTable,
    Manifest,
    MenuEntry,
    PastTable,
    ProblemType,
    Role,
    ScheduledJob,
    Section,
    WorkKind,
)
from loancrm.kernel.processes.programs import QUEUES

# Whether a job has expired is told by the clock of the worker's host, which may be an hour or more
# ahead of beat's: what is cheap when there is nothing to do never expires; what computes much does
# after far longer than clocks differ, so that a standstill leaves a few runs and no more.
EXPIRES_SECONDS = 4 * 3600


class ManifestRefused(ImproperlyConfigured):
    """An entry of an app's manifest cannot be used; the text names the app and the entry."""

    def __init__(self, app: str, entry: str, fault: str) -> None:
        """Keep where the fault is."""
        super().__init__(f"{app}.manifest: {entry}: {fault}")
        self.app = app
        self.entry = entry


@dataclass(frozen=True, slots=True)
class Collected:
    """What all apps bring along, ready for those who use it."""

    jobs: Mapping[str, Job]
    beat_schedule: dict[str, dict[str, Any]]
    work_kinds: Mapping[str, WorkKind]
    rights: Mapping[str, tuple[Role, ...]]
    menu: tuple[tuple[Section, tuple[MenuEntry, ...]], ...]
    append_only: tuple[str, ...]
    change_tables: Mapping[str, ChangeTable]
    past_tables: Mapping[str, PastTable]
    timeline_sources: tuple[str, ...]
    timeline_names: tuple[str, ...]
    api_urls: tuple[str, ...]
    admin_pages: tuple[AdminPages, ...]
    page_urls: tuple[str, ...]
    scopes: dict[str, Any]
    problems: Mapping[str, ProblemType]
    audit_words: AuditWords
    # (kind, name) -> app: who declared it.
    declared_by: Mapping[tuple[str, str], str]

    def rights_of(self, role: Role) -> frozenset[str]:
        """Return the permissions that a role starts with."""
        return frozenset(name for name, roles in self.rights.items() if role in roles)


class _Register:
    """Who declared what, so that nothing is declared twice."""

    def __init__(self) -> None:
        """Begin with nothing."""
        self.owners: dict[tuple[str, str], str] = {}

    def add(self, app: str, kind: str, name: str) -> None:
        """Note an entry; refuse one without a name, and one that is there already."""
        if not name:
            raise ManifestRefused(app, kind, "has no name")
        if owner := self.owners.get((kind, name)):
            raise ManifestRefused(app, f"{kind} {name}", f"is declared by {owner} already")
        self.owners[kind, name] = app


def collect(manifests: Iterable[Manifest]) -> Collected:
    """Put the manifests together, lower apps first.

    Raises:
        ManifestRefused: Something is declared twice, incomplete, or names what nobody declares.
    """
    given = tuple(manifests)
    register = _Register()
    for manifest in given:
        register.add(manifest.app, "app", manifest.app)
        _note_jobs(register, manifest)
        _note_work(register, manifest)
        _note_rights(register, manifest)
        _note_others(register, manifest)
    runs = [run for manifest in given for run in manifest.runs]
    jobs = [run.job for run in runs] + [job for each in given for job in each.on_demand]
    words = [manifest.audit_words for manifest in given]
    return Collected(
        jobs={job.name: job for job in jobs},
        beat_schedule={run.name: _beat_entry(run) for run in runs},
        work_kinds={kind.name: kind for each in given for kind in each.work_kinds},
        rights={right.name: right.roles for each in given for right in each.rights},
        menu=_menu(given),
        append_only=tuple(name for each in given for name in each.append_only),
        change_tables={table.name: table for each in given for table in each.change_tables},
        past_tables={table.model: table for each in given for table in each.past_tables},
        timeline_sources=tuple(path for each in given for path in each.timeline_sources),
        timeline_names=tuple(path for each in given for path in each.timeline_names),
        api_urls=tuple(module for each in given for module in each.api_urls),
        admin_pages=tuple(pages for each in given for pages in each.admin_pages),
        page_urls=tuple(module for each in given for module in each.page_urls),
        scopes={name: text for each in given for name, text in each.scopes.items()},
        problems={problem.code: problem for each in given for problem in each.problems},
        audit_words=AuditWords(
            subjects={name: text for each in words for name, text in each.subjects.items()},
            deeds={name: text for each in words for name, text in each.deeds.items()},
            whole={name: text for each in words for name, text in each.whole.items()},
        ),
        declared_by=register.owners,
    )


def _note_jobs(register: _Register, manifest: Manifest) -> None:
    app = manifest.app
    for run in manifest.runs:
        register.add(app, "run", run.name)
        if not run.every_seconds > 0:
            raise ManifestRefused(app, f"run {run.name}", "has no period")
    # One job may have several runs.
    periodic = list(dict.fromkeys(run.job for run in manifest.runs))
    for job in (*periodic, *manifest.on_demand):
        register.add(app, "job", job.name)
        if not job.name.startswith(f"{app}."):
            raise ManifestRefused(app, f"job {job.name}", f"its name has to begin with {app}.")
        if job.queue not in QUEUES:
            raise ManifestRefused(app, f"job {job.name}", f"no worker serves queue {job.queue!r}")


def _note_work(register: _Register, manifest: Manifest) -> None:
    declared = {run.job for run in manifest.runs} | set(manifest.on_demand)
    for kind in manifest.work_kinds:
        register.add(manifest.app, "kind of work", kind.name)
        where = f"kind of work {kind.name}"
        if not kind.name.startswith(f"{manifest.app}."):
            raise ManifestRefused(
                manifest.app, where, f"its name has to begin with {manifest.app}."
            )
        if kind.job not in declared:
            raise ManifestRefused(manifest.app, where, f"no job {kind.job.name} is declared")
        rights = {right.name for right in manifest.rights}
        if unknown := [name for name in (kind.view, kind.steer) if name not in rights]:
            raise ManifestRefused(manifest.app, where, f"there is no right {unknown[0]!r}")


def _note_rights(register: _Register, manifest: Manifest) -> None:
    for right in manifest.rights:
        register.add(manifest.app, "right", right.name)
        app_label, _dot, codename = right.name.partition(".")
        if not app_label or not codename:
            fault = "is not written app_label.codename"
            raise ManifestRefused(manifest.app, f"right {right.name}", fault)
        if unknown := [role for role in right.roles if role not in tuple(Role)]:
            fault = f"there is no role {unknown[0]!r}"
            raise ManifestRefused(manifest.app, f"right {right.name}", fault)


def _note_others(register: _Register, manifest: Manifest) -> None:
    names: Mapping[str, Iterable[str]] = {
        "section": (section.name for section in manifest.sections),
        "menu entry": (entry.target for entry in manifest.menu),
        "append-only model": manifest.append_only,
        "change table": (table.name for table in manifest.change_tables),
        "table with a past": (table.model for table in manifest.past_tables),
        "timeline source": manifest.timeline_sources,
        "timeline names": manifest.timeline_names,
        "API addresses": manifest.api_urls,
        "admin pages": (pages.prefix for pages in manifest.admin_pages),
        "public pages": manifest.page_urls,
        "scope": manifest.scopes,
        "problem": (problem.code for problem in manifest.problems),
        "subject of the audit trail": manifest.audit_words.subjects,
        "deed of the audit trail": manifest.audit_words.deeds,
        "action of the audit trail": manifest.audit_words.whole,
    }
    for kind, found in names.items():
        for name in found:
            register.add(manifest.app, kind, name)


def _menu(manifests: tuple[Manifest, ...]) -> tuple[tuple[Section, tuple[MenuEntry, ...]], ...]:
    """Return the sections in order, each with its entries in order."""
    sections = {section.name: section for each in manifests for section in each.sections}
    places: dict[tuple[str, int], str] = {}
    for manifest in manifests:
        for entry in manifest.menu:
            where = f"menu entry {entry.target}"
            if entry.section not in sections:
                fault = f"there is no section {entry.section!r}"
                raise ManifestRefused(manifest.app, where, fault)
            if bool(entry.model) == bool(entry.page) or entry.needed == "":
                fault = "names a model, or a page with its permission"
                raise ManifestRefused(manifest.app, where, fault)
            if other := places.get((entry.section, entry.order)):
                raise ManifestRefused(manifest.app, where, f"has the place of {other}")
            places[entry.section, entry.order] = entry.target
    _refuse_unknown_of_menu(manifests)
    entries = sorted(
        (entry for each in manifests for entry in each.menu),
        key=lambda entry: (sections[entry.section].order, entry.section, entry.order),
    )
    return tuple(
        (sections[name], tuple(found)) for name, found in groupby(entries, lambda e: e.section)
    )


def _refuse_unknown_of_menu(manifests: tuple[Manifest, ...]) -> None:
    """Refuse rights that nobody declares, and entries beside one that has no line."""
    rights = {right.name for each in manifests for right in each.rights}
    lines = {entry.target for each in manifests for entry in each.menu if not entry.beside}
    for manifest in manifests:
        for entry in manifest.menu:
            where = f"menu entry {entry.target}"
            if unknown := [name for name in entry.worked_by if name not in rights]:
                raise ManifestRefused(manifest.app, where, f"there is no right {unknown[0]!r}")
            if entry.beside and entry.beside not in lines:
                fault = f"there is no line {entry.beside!r}"
                raise ManifestRefused(manifest.app, where, fault)


def _beat_entry(run: ScheduledJob) -> dict[str, Any]:
    options: dict[str, Any] = {"queue": run.job.queue}
    if run.is_costly:
        options["expires"] = EXPIRES_SECONDS
    entry = {"task": run.job.name, "schedule": float(run.every_seconds), "options": options}
    return {**entry, "kwargs": dict(run.arguments)} if run.arguments else entry
