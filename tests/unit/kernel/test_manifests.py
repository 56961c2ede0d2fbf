"""What the collector of manifests puts together, and what it refuses by app and entry."""

from dataclasses import replace

import pytest

import loancrm.manifest
from loancrm.kernel.jobs import Job
from loancrm.kernel.manifest import (
    AdminPages,
    AuditWords,
    Manifest,
    MenuEntry,
    PastTable,
    ProblemType,
    Right,
    Role,
    ScheduledJob,
    Section,
    WorkKind,
)
from loancrm.kernel.manifests import EXPIRES_SECONDS, ManifestRefused, collect

COUNT = Job("lower.count", queue="analytics")
WAKE = Job("lower.wake", queue="default")
ASKED = Job("lower.asked", queue="imports")
LOWER = Manifest(
    app="lower",
    runs=(
        ScheduledJob("counting", COUNT, every_seconds=3600, is_costly=True),
        ScheduledJob("counting all", COUNT, every_seconds=86400, arguments={"is_full": True}),
        ScheduledJob("waking", WAKE, every_seconds=2),
    ),
    on_demand=(ASKED,),
    rights=(
        Right("lower.view_thing", (Role.ANALYST, Role.MARKETER)),
        Right("lower.add_thing"),
    ),
    sections=(Section("things", "Things", 20), Section("first", "", 10)),
    menu=(
        MenuEntry(section="things", order=20, title="Things", icon="t", model="lower.thing"),
        MenuEntry(
            section="first", order=10, title="Start", icon="s", page="start", permission=None
        ),
    ),
    append_only=("lower.Thing",),
    past_tables=(
        PastTable("lower.Thing", past="lower.Past", columns=("a",), owner={}, since="at"),
    ),
    timeline_sources=("lower.timeline.SOURCES",),
    timeline_names=("lower.timeline.names",),
    api_urls=("lower.api.urls",),
    admin_pages=(AdminPages("things/", "lower.things.urls"),),
    page_urls=("lower.pages.urls",),
    scopes={"things:read": "Read things"},
    problems=(ProblemType("thing_not_found", 404, "The thing is unknown"),),
    audit_words=AuditWords({"thing": "Thing"}, {"lost": "lost"}, {"thing_lost": "Thing: lost"}),
)
UPPER = Manifest(
    app="upper",
    rights=(Right("upper.view_house", (Role.ANALYST,)),),
    menu=(
        MenuEntry(
            section="things",
            order=10,
            title="Houses",
            icon="h",
            page="houses",
            permission="upper.view_house",
        ),
    ),
    timeline_sources=("upper.timeline.SOURCES",),
)


def test_beat_asks_for_each_run_on_the_queue_of_its_job():
    assert collect([LOWER]).beat_schedule == {
        "counting": {
            "task": "lower.count",
            "schedule": 3600.0,
            "options": {"queue": "analytics", "expires": EXPIRES_SECONDS},
        },
        "counting all": {
            "task": "lower.count",
            "schedule": 86400.0,
            "kwargs": {"is_full": True},
            "options": {"queue": "analytics"},
        },
        "waking": {"task": "lower.wake", "schedule": 2.0, "options": {"queue": "default"}},
    }
    assert collect([LOWER]).jobs == {job.name: job for job in (COUNT, WAKE, ASKED)}


def test_the_menu_is_in_order_whichever_app_an_entry_is_of():
    found = collect([LOWER, UPPER])

    shown = [(section.name, [e.title for e in entries]) for section, entries in found.menu]
    assert shown == [("first", ["Start"]), ("things", ["Houses", "Things"])]


def test_an_entry_knows_its_address_and_what_it_takes():
    things, start = LOWER.menu

    assert (things.address, things.needed) == ("admin:lower_thing_changelist", "lower.view_thing")
    assert (start.address, start.needed) == ("start", None)
    assert replace(things, permission="lower.add_thing").needed == "lower.add_thing"


def test_a_role_gets_what_all_manifests_give_it():
    found = collect([LOWER, UPPER])

    assert found.rights_of(Role.ANALYST) == {"lower.view_thing", "upper.view_house"}
    assert found.rights_of(Role.MARKETER) == {"lower.view_thing"}
    assert found.rights_of(Role.STEWARD) == frozenset()
    assert "lower.add_thing" in found.rights


def test_lower_apps_come_first():
    found = collect([LOWER, UPPER])

    assert found.timeline_sources == ("lower.timeline.SOURCES", "upper.timeline.SOURCES")
    assert found.declared_by["right", "upper.view_house"] == "upper"


def _kind(**given):
    things = {"subject": "lower.thing", "page": "thing", "title": "x", "job": ASKED}
    rights = {"view": "lower.view_thing", "steer": "lower.add_thing"}
    return WorkKind(**{"name": "lower.counting", **things, **rights, **given})


def test_kinds_of_long_work_are_found_by_their_name():
    kind = _kind()
    assert collect([replace(LOWER, work_kinds=(kind,))]).work_kinds == {"lower.counting": kind}


@pytest.mark.parametrize(
    ("given", "fault"),
    [
        ({"name": "upper.counting"}, "its name has to begin with lower."),
        ({"job": Job("lower.other", queue="default")}, "no job lower.other is declared"),
        ({"view": "lower.see_thing"}, "there is no right 'lower.see_thing'"),
        ({"steer": "lower.steer_thing"}, "there is no right 'lower.steer_thing'"),
    ],
)
def test_a_kind_of_long_work_names_what_its_app_declares(given, fault):
    kind = _kind(**given)
    with pytest.raises(ManifestRefused) as refused:
        collect([replace(LOWER, work_kinds=(kind,))])
    assert str(refused.value) == f"lower.manifest: kind of work {kind.name}: {fault}"


def _entry(**given):
    return MenuEntry(**{"section": "things", "order": 99, "title": "x", "icon": "x", **given})


TWICE = {
    "run counting": {"runs": (ScheduledJob("counting", Job("upper.a", queue="default"), 1),)},
    "right lower.add_thing": {"rights": (Right("lower.add_thing"),)},
    "section things": {"sections": (Section("things", "Things", 50),)},
    "menu entry lower.thing": {"menu": (_entry(model="lower.thing"),)},
    "append-only model lower.Thing": {"append_only": ("lower.Thing",)},
    "table with a past lower.Thing": {
        "past_tables": (
            PastTable("lower.Thing", past="lower.Other", columns=("b",), owner={}, since="at"),
        )
    },
    "timeline source lower.timeline.SOURCES": {"timeline_sources": ("lower.timeline.SOURCES",)},
    "timeline names lower.timeline.names": {"timeline_names": ("lower.timeline.names",)},
    "API addresses lower.api.urls": {"api_urls": ("lower.api.urls",)},
    "admin pages things/": {"admin_pages": (AdminPages("things/", "upper.urls"),)},
    "public pages lower.pages.urls": {"page_urls": ("lower.pages.urls",)},
    "scope things:read": {"scopes": {"things:read": "x"}},
    "problem thing_not_found": {"problems": (ProblemType("thing_not_found", 400, "x"),)},
    "subject of the audit trail thing": {"audit_words": AuditWords(subjects={"thing": "x"})},
    "deed of the audit trail lost": {"audit_words": AuditWords(deeds={"lost": "x"})},
    "action of the audit trail thing_lost": {"audit_words": AuditWords(whole={"thing_lost": "x"})},
}


@pytest.mark.parametrize("entry", TWICE)
def test_nothing_is_declared_twice(entry):
    with pytest.raises(ManifestRefused) as refused:
        collect([LOWER, replace(UPPER, **TWICE[entry])])

    assert str(refused.value) == f"upper.manifest: {entry}: is declared by lower already"


def test_an_app_and_a_job_are_declared_once():
    with pytest.raises(ManifestRefused, match=r"^lower\.manifest: app lower: is declared by"):
        collect([LOWER, LOWER])
    with pytest.raises(ManifestRefused, match=r"^lower\.manifest: job lower\.wake: is declared"):
        collect([replace(LOWER, on_demand=(WAKE,))])


A_JOB = Job("upper.a", queue="default")
FAULTS = {
    "job": (
        {"on_demand": (Job("", queue="default"),)},
        "upper.manifest: job: has no name",
    ),
    "run": ({"runs": (ScheduledJob("", A_JOB, 1),)}, "upper.manifest: run: has no name"),
    "period": ({"runs": (ScheduledJob("a", A_JOB, 0),)}, "upper.manifest: run a: has no period"),
    "queue": (
        {"on_demand": (Job("upper.a", queue="nowhere"),)},
        "upper.manifest: job upper.a: no worker serves queue 'nowhere'",
    ),
    "whose job": (
        {"on_demand": (Job("lower.a", queue="default"),)},
        "upper.manifest: job lower.a: its name has to begin with upper.",
    ),
    "permission": (
        {"rights": (Right("view_house"),)},
        "upper.manifest: right view_house: is not written app_label.codename",
    ),
    "role": (
        {"rights": (Right("upper.view_house", ("boss",)),)},
        "upper.manifest: right upper.view_house: there is no role 'boss'",
    ),
    "section": (
        {"menu": (_entry(section="attic", model="upper.house"),)},
        "upper.manifest: menu entry upper.house: there is no section 'attic'",
    ),
    "leads nowhere": ({"menu": (_entry(),)}, "upper.manifest: menu entry: has no name"),
    "leads to two": (
        {"menu": (_entry(model="upper.house", page="house"),)},
        "upper.manifest: menu entry upper.house: names a model, or a page with its permission",
    ),
    "page for nobody knows whom": (
        {"menu": (_entry(page="house"),)},
        "upper.manifest: menu entry house: names a model, or a page with its permission",
    ),
    "place": (
        {"menu": (_entry(order=20, model="upper.house"),)},
        "upper.manifest: menu entry upper.house: has the place of lower.thing",
    ),
    "worked by nobody": (
        {"menu": (_entry(model="upper.house", worked_by=("upper.dream",)),)},
        "upper.manifest: menu entry upper.house: there is no right 'upper.dream'",
    ),
    "beside nothing": (
        {"menu": (_entry(model="upper.house", beside="upper.garden"),)},
        "upper.manifest: menu entry upper.house: there is no line 'upper.garden'",
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_what_cannot_be_used_is_refused_by_app_and_entry(fault):
    changes, text = FAULTS[fault]

    with pytest.raises(ManifestRefused) as refused:
        collect([LOWER, replace(UPPER, **changes)])

    assert str(refused.value) == text


def test_an_app_gives_no_other_meaning_to_a_code_that_any_call_may_be_told():
    own = replace(UPPER, problems=(ProblemType("not_found", 410, "Gone"),))
    with pytest.raises(ManifestRefused) as refused:
        collect([loancrm.manifest.MANIFEST, LOWER, own])
    assert str(refused.value) == "upper.manifest: problem not_found: is declared by loancrm already"
