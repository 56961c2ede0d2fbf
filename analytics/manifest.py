"""What `analytics` adds to jobs, menu, rights, API and words of the whole product."""

from django.utils.translation import gettext_lazy as _

from analytics import jobs
from loancrm.kernel.manifest import (
    EVERY_ROLE,
    AdminPages,
    AuditWords,
    Manifest,
    MenuEntry,
    Right,
    Role,
    Run,
    Section,
)

MANIFEST = Manifest(
    app="analytics",
    runs=(
        # Every value that moves by a cent is kept, so not every day.
        Run("lifetime values", jobs.VALUE_CUSTOMERS, every_seconds=604800, is_costly=True),
        # Complete months only: a day more or less changes nothing.
        Run("spending", jobs.DESCRIBE_SPENDING, every_seconds=604800, is_costly=True),
        Run("searches left lying", jobs.WAKE_DISCOVERIES, every_seconds=60),
    ),
    on_demand=(jobs.RUN_DISCOVERY,),
    rights=(
        Right("analytics.add_discoverymodel", (Role.MARKETER, Role.ANALYST)),
        Right("analytics.view_discoveryrun", EVERY_ROLE),
        Right("analytics.add_protectedoverride", (Role.COMPLIANCE,)),
        Right("analytics.view_protectedoverride", EVERY_ROLE),
    ),
    sections=(Section("analytics", _("Analytics"), 30),),
    menu=(
        MenuEntry(
            section="analytics",
            order=10,
            title=_("Reports"),
            icon="monitoring",
            page="reports:index",
            permission="campaigns.view_report",
            is_shared=True,
        ),
        MenuEntry(
            section="analytics",
            order=20,
            title=_("Discoveries"),
            icon="hub",
            page="discoveries:index",
            permission="analytics.view_discoveryrun",
        ),
        MenuEntry(
            section="analytics",
            order=30,
            title=_("Protected attributes"),
            icon="gavel",
            model="analytics.protectedoverride",
        ),
    ),
    api_urls=("analytics.api.urls",),
    admin_pages=(
        AdminPages("reports/", "analytics.dashboards.urls"),
        AdminPages("discoveries/", "analytics.dashboards.discovery_urls"),
    ),
    scopes={
        "reports:read": _("Read the reports of shared campaigns"),
    },
    audit_words=AuditWords(
        subjects={
            "discovery": _("Search for groups"),
            "protected_override": _("Leave for a protected attribute"),
            "report": _("Report"),
        },
        deeds={
            "clusters": _("by clusters"),
            "lookalike": _("by likeness"),
            "rfm": _("by recency, frequency and amount"),
        },
    ),
)
