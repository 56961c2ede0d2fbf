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


EVERY_ROLE = tuple(Role)


@dataclass(frozen=True, slots=True)
class Run:
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
    permission on a single row.
    """

    section: str
    order: int
    title: Any
    icon: str
    model: str = ""
    page: str = ""
    permission: str | None = ""
    is_shared: bool = False

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
class Problem:
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
        append_only: Models of which rows are added only.
        timeline_sources: Paths of lists of `TimelineSource`.
        timeline_names: Paths of functions that name the codes of a timeline; where two apps know a
            code, a later app's name is shown.
        api_urls: Modules with addresses of the partners' API.
        page_urls: Modules with addresses of public pages.
        scopes: What a partner's client may be allowed, with its description.
        problems: Errors of the API beside the common ones.
    """

    app: str
    runs: tuple[Run, ...] = ()
    on_demand: tuple[Job, ...] = ()
    rights: tuple[Right, ...] = ()
    sections: tuple[Section, ...] = ()
    menu: tuple[MenuEntry, ...] = ()
    append_only: tuple[str, ...] = ()
    timeline_sources: tuple[str, ...] = ()
    timeline_names: tuple[str, ...] = ()
    api_urls: tuple[str, ...] = ()
    admin_pages: tuple[AdminPages, ...] = ()
    page_urls: tuple[str, ...] = ()
    scopes: Mapping[str, Any] = field(default_factory=dict)
    problems: tuple[Problem, ...] = ()
    audit_words: AuditWords = AuditWords()
