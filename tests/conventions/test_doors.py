"""Every public service that takes an actor goes through the door of `loancrm.kernel.acting`.

A service makes an act itself, or hands its actor to one that does. Only then are permission,
transaction and entry together, and only then can none of them be forgotten.
"""

import ast
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache

import pytest

from tests.conventions import source

# What leaves no entry, and why: questions, what only computes, and parts of other services.
READS = {
    "analytics/services/discovery_writing.py:writer_for": "names who writes for whom",
    "analytics/services/modelling/life.py:right_to_decide": "a question of the decisions and pages",
    "analytics/services/reports.py:report_campaign": "computes a report; keeping one is an act",
    "analytics/services/targeting/runs.py:run": "hands on to `_target`, whose end is an act",
    "campaigns/services/campaigns/authoring.py:require_purpose": "a question of other services",
    "campaigns/services/campaigns/fairness.py:fairness_of": "computes how an audience stands",
    "campaigns/services/campaigns/rehearsal/dry_runs.py:dry_run_campaign": "writes nothing",
    "campaigns/services/campaigns/forecasts.py:forecast": "computes what would be sent",
    "campaigns/services/campaigns/previews.py:may_preview": "a question of pages",
    "campaigns/services/consents/stop_list_keeping.py:found": "looks up one address, masked",
    "customers/services/imports/pipeline.py:new_batch": "makes a row that its caller stores",
    "customers/services/imports/pipeline.py:prepare": "gathers what the steps of a run share",
    "customers/services/imports/runs.py:start_work": "a part of the services that submit",
    "customers/services/imports/repair.py:reread_row": "compares a correction; shows no cell",
}
WRITES_WITHOUT_ENTRY = {
    "customers/services/imports/drafts.py:read_draft": "looks into a file again, as it was told to",
    "customers/services/imports/drafts.py:save_draft": "keeps what a form shows, every few seconds",
    "customers/services/segments/versions.py:recount": "keeps a figure that lists show",
}
# Which function lets an actor in by something else than a permission: by which constant, and why.
ADMITTED = {
    "campaigns/services/partners/events.py:_record": ("_BY_SCOPE", "the API asked for the scope"),
    "campaigns/services/partners/leads.py:capture_leads": (
        "_BY_SCOPE",
        "the API asked for the scope",
    ),
    "campaigns/services/partners/own_systems.py:receive_credit_facts": (
        "_BY_SCOPE",
        "the API asked for the scope",
    ),
    "campaigns/services/triggers/receiving.py:receive": (
        "_BY_SCOPE",
        "the API asked for the scope",
    ),
    "campaigns/services/requests/receiving.py:receive": (
        "_BY_SCOPE",
        "the API asked for the scope",
    ),
    "customers/services/imports/pipeline.py:_finish": ("AS_REQUESTED", "the end of an import"),
    "customers/services/imports/steps/apply.py:ApplyOrder.acting": (
        "AS_REQUESTED",
        "a page of an import, for the two below",
    ),
    "customers/services/imports/steps/apply.py:_apply_page": (
        "order.acting",
        "a page of an import",
    ),
    "customers/services/imports/steps/standalone.py:_apply_window": (
        "order.acting",
        "a page of an import",
    ),
    "customers/services/imports/undo.py:_end": ("AS_REQUESTED", "the end of an undo"),
    "customers/services/imports/undo.py:_undo_creations": ("AS_REQUESTED", "a page of an undo"),
    "customers/services/sources/registry.py:_registered": (
        "_AS_DATA_ARRIVES",
        "the service that hands in data has asked",
    ),
    "loancrm/kernel/sign_in/service.py:_record_failure": ("_AT_THE_DOOR", "nobody is signed in"),
    "loancrm/kernel/sign_in/service.py:sign_in": ("_BY_PASSWORD", "the password was right"),
    "loancrm/kernel/sign_in/service.py:sign_out": ("_BY_PASSWORD", "everybody may leave"),
}
# Which function ends a door without an entry because all is as it was, and when that is so.
UNCHANGED = {
    "analytics/services/credit/assumptions.py:record_assumption": "it was set just so",
    "analytics/services/credit/policies.py:propose_policy": "the same version waits already",
    "analytics/services/warning/replays.py:start_replay": "the same replay is under way",
    "analytics/services/targeting/runs.py:start_run": "the same form came a moment before",
    "analytics/services/warning/cases.py:take_case": "the case is that person's already",
    "analytics/services/warning/groups.py:watch_groups": "no alert began or ended",
    "analytics/services/credit/deciding.py:_decide_batch": "nobody waits, or another policy holds",
    "analytics/services/warning/watching.py:_write_alerts": "no alert began or ended",
    "analytics/services/warning/alerts.py:_end_page": "another has ended them",
    "analytics/services/warning/rules.py:change_rule": "the rule says so already",
    "analytics/services/protected_overrides.py:end_override": "it has ended already",
    "analytics/services/modelling/scoring.py:score_model": "the model was halted, or has another",
    "customers/services/scores.py:record_standing": "nobody was scored yet",
    "campaigns/services/campaigns/authoring.py:revise_messages": "no text differs",
    "campaigns/services/campaigns/harm_watch.py:_pause": "somebody paused or ended it meanwhile",
    "campaigns/services/desk/patterns.py:_set": "it is a template, or none, already",
    "campaigns/services/desk/filing.py:file_campaign": "folder and tags are these already",
    "campaigns/services/campaigns/ticking.py:_complete_campaigns": "messages are sent again",
    "campaigns/services/campaigns/fairness_overrides.py:confirm_override": "another agreed",
    "campaigns/services/campaigns/rollouts.py:decide": "the test is read on",
    "campaigns/services/channels/fates.py:store_audited": "all were decided already",
    "campaigns/services/consents/confirmation_fates.py:decide": "all were decided already",
    "campaigns/services/consents/preference_centre.py:change": "the choices are the old ones",
    "campaigns/services/consents/preferences.py:stop_contacts": "all stops are in force already",
    "campaigns/services/consents/stop_list_keeping.py:_append": "all stops are in force already",
    "campaigns/services/consents/stop_list_keeping.py:lift": "no stop is in force",
    "campaigns/services/partners/touches.py:import_touches": "the part tells of nothing new",
    "campaigns/services/triggers/receiving.py:receive": "all references came before",
    "campaigns/services/receipts/reports.py:_apply_batch": "all reports came before",
    "campaigns/services/receipts/reports.py:settle_by_hand": "no report waits",
    "customers/services/consents/lead_form.py:hand_in": "the very form came before",
    "customers/services/consents/ledger.py:withdraw": "no consent was given",
    "customers/services/consents/opt_ins.py:confirm": "unknown, confirmed already or refused",
    "customers/services/identity/duplicates.py:_propose": "nothing is proposed",
    "customers/services/imports/steps/standalone.py:_apply_window": "no row is due",
    "customers/services/imports/undo.py:_undo_creations": "no page is left",
    "customers/services/privacy/preferences.py:close_request": "it is closed already",
    "customers/services/privacy/preferences.py:request_privacy": "the same request is open",
    "customers/services/segments/versions.py:publish_version": "the rule is the current one",
    "customers/services/sources/mappings.py:save_mapping": "the mapping is the current one",
    "customers/services/sources/mappings.py:take_out": "it is not put away",
    "customers/services/sources/registry.py:_registered": "the source is known",
    "loancrm/kernel/security/rotation.py:retire_unused_keys": "every key is in use",
}
# Which function ends a door without an entry although it writes, and what tells of it instead.
COUNTED_ELSEWHERE = {
    "campaigns/services/campaigns/composer/autosaves.py:record_edit": "an entry of minutes before",
    "campaigns/services/receipts/reports.py:_retry_batch": "the receipts themselves",
    "customers/services/imports/from_file.py:_import_table": "the batch; its pages and end record",
    "customers/services/imports/pipeline.py:_finish": "nothing is kept of a check but its work",
    "customers/services/segments/changes.py:apply_changes": "the stays, each with its reason",
    "customers/services/segments/refresh.py:refresh_segment": "the build, where the system asks",
}
# Who else writes entries: the trail itself, and pages of other packages that have no services.
KERNEL = "loancrm/kernel/"
# What takes an actor and is no use case of its own: questions, and the register at every door.
_NOT_HANDING_ON = {"require", "is_allowed", "admit"}


@dataclass(frozen=True)
class _Service:
    """A function of a service module, and what it calls with its actor."""

    path: str
    name: str
    has_actor: bool
    opens: bool
    hands_to: frozenset[tuple[str, str]] = field(default_factory=frozenset)

    @property
    def place(self) -> str:
        return f"{self.path}:{self.name}"


def _is_service(path: str) -> bool:
    return "/services/" in path or path.startswith(KERNEL)


def _module(path: str) -> str:
    return path.removesuffix(".py").removesuffix("/__init__").replace("/", ".")


def _names(tree: ast.Module) -> dict[str, str]:
    """Return {name in the file: dotted name} of what a file imports and defines."""
    found = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module:
            for alias in node.names:
                found[alias.asname or alias.name] = f"{node.module}.{alias.name}"
    return found


def _target(call: ast.Call, names: dict[str, str], module: str) -> tuple[str, str]:
    """Return (module, function) of what is called."""
    dotted = ast.unparse(call.func)
    head, _dot, rest = dotted.partition(".")
    whole = names.get(head, f"{module}.{head}") + (f".{rest}" if rest else "")
    found, _dot, function = whole.rpartition(".")
    return found, function


def _gives_actor(call: ast.Call) -> bool:
    given = [*call.args, *(keyword.value for keyword in call.keywords)]
    return any(isinstance(value, ast.Name) and value.id in {"actor", "act"} for value in given)


def _read(path: str, tree: ast.Module) -> Iterator[_Service]:
    names, module = _names(tree), _module(path)
    for node in tree.body:
        if not isinstance(node, ast.FunctionDef):
            continue
        arguments = {arg.arg for arg in [*node.args.args, *node.args.kwonlyargs]}
        calls = [call for call in ast.walk(node) if isinstance(call, ast.Call)]
        targets = {_target(call, names, module) for call in calls if _gives_actor(call)}
        yield _Service(
            path=path,
            name=node.name,
            has_actor="actor" in arguments,
            opens="act" in arguments or ("loancrm.kernel.acting", "acting") in targets,
            hands_to=frozenset(
                (place, name) for place, name in targets if name not in _NOT_HANDING_ON
            ),
        )


@cache
def _services() -> dict[tuple[str, str], _Service]:
    return {
        (_module(file.path), service.name): service
        for file in source.files()
        if _is_service(file.path)
        for service in _read(file.path, file.tree)
    }


def _goes_through(service: _Service, seen: frozenset[str] = frozenset()) -> bool:
    if service.opens:
        return True
    if service.place in seen:
        return False
    known = (_services().get(target) for target in service.hands_to)
    return any(_goes_through(other, seen | {service.place}) for other in known if other is not None)


def _public() -> list[_Service]:
    return [
        service
        for service in _services().values()
        if "/services/" in service.path and service.has_actor and not service.name.startswith("_")
    ]


def test_c3_a_service_that_forgets_the_door_is_found() -> None:
    text = """
from loancrm.kernel.acting import acting
from customers.services import scores

def opens(*, actor, now):
    with acting(actor, "p", now=now) as act:
        act.unchanged()

def hands_on(*, actor, now):
    scores.record_scores(actor=actor, now=now)

def forgets(*, actor, now):
    access.require(actor, "p")
    write(now)
"""
    found = {
        service.name: _goes_through(service)
        for service in _read("customers/services/new.py", ast.parse(text))
    }

    assert found == {"opens": True, "hands_on": True, "forgets": False}


def test_services_are_found() -> None:
    assert len(_public()) > 90


def test_c3_every_service_with_an_actor_goes_through_the_door() -> None:
    outside = {service.place for service in _public() if not _goes_through(service)}

    assert outside == set(READS) | set(WRITES_WITHOUT_ENTRY)


def test_c3_entries_are_written_in_the_door_only() -> None:
    found = {
        file.path
        for file in source.files()
        if not file.path.startswith(KERNEL)
        for node in ast.walk(file.tree)
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "audit.record"
    }

    assert found == set()


def _in_functions(tree: ast.Module) -> Iterator[tuple[str, ast.AST]]:
    """Yield every node with the class and function around it, such as `Order.acting`."""

    def walk(node: ast.AST, around: str) -> Iterator[tuple[str, ast.AST]]:
        for child in ast.iter_child_nodes(node):
            yield around, child
            is_named = isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)
            inner = f"{around}.{child.name}".lstrip(".") if is_named else around
            yield from walk(child, inner)

    return walk(tree, "")


def _is_admission(node: ast.AST) -> bool:
    return isinstance(node, ast.Call) and ast.unparse(node.func).split(".")[-1] == "AdmittedBy"


def _admissions(path: str, tree: ast.Module) -> Iterator[str]:
    """Yield the dotted names of the constants of a file that stand for no permission."""
    for node in tree.body:
        if isinstance(node, ast.Assign) and _is_admission(node.value):
            yield from (f"{_module(path)}.{ast.unparse(target)}" for target in node.targets)


def _uses(path: str, tree: ast.Module, constants: set[str]) -> Iterator[tuple[str, str]]:
    """Yield (where, constant) of all that lets an actor in without a permission.

    An `AdmittedBy` that is no constant of its module is told by its code, and an alias by the place
    where it is made. A method that opens such a door is one itself.
    """
    names, module = _names(tree), _module(path)
    own = {id(node.value) for node in tree.body if isinstance(node, ast.Assign)}
    for around, node in _in_functions(tree):
        place = f"{path}:{around}"
        if _is_admission(node) and (around or id(node) not in own):
            yield place, ast.unparse(node)
        if isinstance(node, ast.Name | ast.Attribute) and isinstance(node.ctx, ast.Load):
            head, _dot, rest = ast.unparse(node).partition(".")
            whole = names.get(head, f"{module}.{head}") + (f".{rest}" if rest else "")
            if isinstance(node, ast.Attribute) and node.attr == "acting":
                yield place, ast.unparse(node)
            if whole in constants:
                yield place, whole.rpartition(".")[2]


def _words_for_no_entry(path: str, tree: ast.Module, word: str) -> Iterator[str]:
    for around, node in _in_functions(tree):
        called = node.func if isinstance(node, ast.Call) else None
        if isinstance(called, ast.Attribute) and called.attr == word:
            yield f"{path}:{around}"


def test_c3_a_new_use_of_what_asks_for_no_permission_is_found() -> None:
    text = """
from customers.services.imports import runs
from customers.services.imports.runs import AS_REQUESTED as REQUESTED
from loancrm.kernel.acting import AdmittedBy

ALIAS = REQUESTED

class Order:
    def acting(self):
        return acting(self.actor, runs.AS_REQUESTED, now=self.now)

def inline(*, actor, now):
    with acting(actor, AdmittedBy("me"), now=now) as act:
        act.unchanged()

def by_method(order):
    with order.acting() as act:
        pass
"""
    tree = ast.parse(text)
    found = set(_uses("new.py", tree, {"customers.services.imports.runs.AS_REQUESTED"}))

    assert found == {
        ("new.py:", "AS_REQUESTED"),
        ("new.py:Order.acting", "AS_REQUESTED"),
        ("new.py:inline", "AdmittedBy('me')"),
        ("new.py:by_method", "order.acting"),
    }
    assert list(_words_for_no_entry("new.py", tree, "unchanged")) == ["new.py:inline"]


def test_c3_doors_that_ask_for_no_permission_are_known() -> None:
    files = source.files()
    constants = {name for file in files for name in _admissions(file.path, file.tree)}
    found = {use for file in files for use in _uses(file.path, file.tree, constants)}

    assert found == {(place, name) for place, (name, _reason) in ADMITTED.items()}


@pytest.mark.parametrize(
    ("word", "known"), [("unchanged", UNCHANGED), ("counted_elsewhere", COUNTED_ELSEWHERE)]
)
def test_c3_doors_that_leave_no_entry_are_known(word: str, known: dict[str, str]) -> None:
    found = {
        place
        for file in source.files()
        for place in _words_for_no_entry(file.path, file.tree, word)
    }

    assert found == set(known)
