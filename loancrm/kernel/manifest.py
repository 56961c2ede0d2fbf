"""What an app brings along, in the terms in which its own `manifest.py` declares it.

A manifest is read while the settings are put together: it names things by dotted paths and lazy
texts and loads no model, view or setting. `loancrm.kernel.manifests` collects all of them.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from loancrm.kernel.jobs import Job


class Role(StrEnum):
    """Name of a group that every installation starts with."""

    MARKETER = "marketer"
    APPROVER = "approver"
    ANALYST = "analyst"
    STEWARD = "steward"
    COMPLIANCE = "compliance"
    RISK = "risk"


EVERY_ROLE = tuple(Role)


@dataclass(frozen=True, slots=True)
class ScheduledJob:
    """A job that beat asks for again and again.

    `is_costly` says that it computes much: what a standstill left of it expires, while a job that
    is cheap when there is nothing to do never does.
    """

    name: str
    job: Job
    every_seconds: float
    is_costly: bool = False
    arguments: Mapping[str, bool | int | str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Right:
    """A permission that pages and services ask for, `app_label.codename`, and who starts with it.

    One without roles can be given to people and groups by hand.
    """

    name: str
    roles: tuple[Role, ...] = ()


class WorkAction(StrEnum):
    """What a person can ask of long work; `RETRY` begins failed work again."""

    PAUSE = "pause"
    RESUME = "resume"
    CANCEL = "cancel"
    RETRY = "retry"


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkKind:
    """A kind of long work that a worker does, and that one page shows with all others.

    Args:
        name: Its name, beginning with the app's.
        title: What it is, in words.
        job: Takes a `work_id` and does the work, or goes on with it.
        subject: Model of what the work is about, `app_label.model`; its rows have a `work`.
        page: Name of the address of such a row's own page, which takes its number.
        view: Permission to see it.
        steer: Permission to ask something of it.
        actions: What its worker obeys.
        refused: For an action, which rows of the subject it is not asked of, as lookups.
        cancel_question: What cancelling means; whoever asks for it is asked back with that.
        is_kept: The subject is asked about for years; otherwise work that is over for long is
            removed together with it.
        is_traceless: A run that stops leaves nothing behind, so that work of a command whose
            process is gone just ends as failed; other kinds clear up after theirs by themselves.
    """

    name: str
    title: Any
    job: Job
    subject: str
    page: str
    view: str
    steer: str
    actions: tuple[WorkAction, ...] = ()
    refused: Mapping[WorkAction, Mapping[str, Any]] = field(default_factory=dict)
    cancel_question: Any = ""
    is_kept: bool = False
    is_traceless: bool = False


@dataclass(frozen=True, slots=True)
class Section:
    """A heading of the menu; one without a title stands alone at its place."""

    name: str
    title: Any
    order: int


@dataclass(frozen=True, slots=True, kw_only=True)
class MenuEntry:
    """A line of the menu, seen by whoever may open what it leads to.

    It leads to the list of a `model` (`app_label.model`) or to a `page` by the name of its address.
    `permission` is the right to view the model where none is named; a page names its own, or
    `None` for everybody who is signed in. `is_shared` also opens it to those who were granted the
    permission on a single row. `is_work` shows it to whoever may see some kind of long work.
    `worked_by` leaves it out for whoever holds none of these permissions: they may look at the page
    but do not work with it. `beside` is the target of another entry, whose page then shows both as
    tabs; the entry has no line of its own. `tab` is what its tab says where that is not its title.
    `badge` is the path of what counts, of a request, what
    waits there for its reader. `is_bell` puts it into the head of every page instead of the menu.
    """

    section: str
    order: int
    title: Any
    icon: str
    model: str = ""
    page: str = ""
    permission: str | None = ""
    is_shared: bool = False
    is_work: bool = False
    worked_by: tuple[str, ...] = ()
    beside: str = ""
    tab: Any = None
    badge: str = ""
    is_bell: bool = False

    @property
    def target(self) -> str:
        """Return what it leads to."""
        return self.model or self.page

    @property
    def address(self) -> str:
        """Return the name of the address that it leads to."""
        return f"admin:{self.model.replace('.', '_')}_changelist" if self.model else self.page

    @property
    def needed(self) -> str | None:
        """Return the permission that it takes; None where it takes none."""
        if self.permission or not self.model:
            return self.permission
        app_label, _dot, model_name = self.model.partition(".")
        return f"{app_label}.view_{model_name}"


@dataclass(frozen=True, slots=True)
class AdminPages:
    """Addresses beside the admin's lists, behind its sign-in: how they begin, and their module."""

    prefix: str
    urls: str


@dataclass(frozen=True, slots=True)
class ChangeTable:
    """A table of which others follow what is new or has changed.

    `subject` is the way from a row to the key of whom it is about. A table of which rows are only
    added is followed by key; one whose rows are written again has an indexed `changed_at`, which
    the database stamps (`kernel.changes.stamps`), and says so by `is_stamped`.
    """

    name: str
    model: str
    subject: str
    is_stamped: bool = False


@dataclass(frozen=True, slots=True)
class PastTable:
    """A table of which the database keeps what was in force before (`kernel.changes.history`).

    Attributes:
        model: Whose rows are written again.
        past: Where spells go: `owner`, `columns`, `began_at`, `ended_at`.
        columns: What is kept, by the same name in both.
        owner: {column of the past: column of the row} of what tells one row from another.
        since: Column of the row with the time from which its values hold.
        born: Column with the time at which the row came; `since` is then stamped by the database
            at every change of `columns`, and empty before the first. Without it writers set
            `since`.
        forgets: {table: column} of the spells that go when a row is removed. Without any, removing
            a row ends its spell.
    """

    model: str
    past: str
    columns: tuple[str, ...]
    owner: Mapping[str, str]
    since: str
    born: str = ""
    forgets: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ProblemType:
    """An error that partners are told by its code: the HTTP status and the title of it."""

    code: str
    status: int
    title: Any


@dataclass(frozen=True, slots=True)
class AuditWords:
    """Words of the audit trail: what stands before the point of an action, after it, and whole."""

    subjects: Mapping[str, Any] = field(default_factory=dict)
    deeds: Mapping[str, Any] = field(default_factory=dict)
    whole: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """All that one app adds to what the whole product shares.

    Args:
        app: Name of the app, before the point of its jobs' names.
        runs: Jobs that beat asks for.
        on_demand: Jobs that services start.
        work_kinds: Long work, each with the job that does it.
        append_only: Models of which rows are added only.
        change_tables: Tables that segments and others follow.
        past_tables: Tables of which the database keeps what was in force before.
        timeline_sources: Paths of lists of `TimelineSource`.
        timeline_names: Paths of functions that name the codes of a timeline; where two apps know a
            code, a later app's name is shown.
        api_urls: Modules with addresses of the partners' API.
        page_urls: Modules with addresses of public pages.
        scopes: What a partner's client may be allowed, with its description.
        problems: Errors of the API beside the common ones.
    """

    app: str
    runs: tuple[ScheduledJob, ...] = ()
    on_demand: tuple[Job, ...] = ()
    work_kinds: tuple[WorkKind, ...] = ()
    rights: tuple[Right, ...] = ()
    sections: tuple[Section, ...] = ()
    menu: tuple[MenuEntry, ...] = ()
    append_only: tuple[str, ...] = ()
    change_tables: tuple[ChangeTable, ...] = ()
    past_tables: tuple[PastTable, ...] = ()
    timeline_sources: tuple[str, ...] = ()
    timeline_names: tuple[str, ...] = ()
    api_urls: tuple[str, ...] = ()
    admin_pages: tuple[AdminPages, ...] = ()
    page_urls: tuple[str, ...] = ()
    scopes: Mapping[str, Any] = field(default_factory=dict)
    problems: tuple[ProblemType, ...] = ()
    audit_words: AuditWords = AuditWords()
