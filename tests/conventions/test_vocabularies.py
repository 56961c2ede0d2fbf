"""What a closed vocabulary's values are called, and how they look, stands in one table."""

import ast
import importlib
import pkgutil
from collections.abc import Iterator, Mapping
from enum import StrEnum
from types import ModuleType

from customers.domain.fields.catalogue import Text
from loancrm.kernel.words.vocabulary import Vocabulary
from tests.conventions import source

_APPS = ("customers", "campaigns", "analytics")
# Enums whose values no person reads: steps and kinds that the program tells apart, codes of the
# API, which are documented as they stand, and what a page says in a sentence of its own.
_UNSHOWN = frozenset(
    {
        "campaigns.domain.notices.kinds.MailState",
        "analytics.domain.cost.CostCategory",
        "analytics.domain.figures.WindowKind",
        "analytics.domain.figures.WindowUnit",
        "analytics.domain.targeting.problem.CapKind",
        "analytics.domain.uplift.surfaces.SurfaceKind",
        "analytics.domain.modelling.binning.RateTrend",
        "analytics.domain.modelling.calibration.CalibrationMethod",
        "analytics.domain.modelling.preprocessing.ColumnKind",
        "analytics.domain.modelling.preprocessing.NullPolicy",
        "campaigns.domain.campaigns.harm_watch.Harm",
        "campaigns.domain.content.links.LinkPurpose",
        "campaigns.domain.content.sms_parts.SmsEncoding",
        "campaigns.domain.content.texts.VariableKind",
        "campaigns.domain.compliance.offers.OfferFaultCode",
        "campaigns.domain.compliance.rules.RuleCheck",
        "campaigns.domain.graphs.graph.Question",
        "campaigns.domain.graphs.walking.Leaving",
        "campaigns.domain.partners.contract.ItemCode",
        "campaigns.domain.partners.contract.LeadStanding",
        "campaigns.domain.partners.contract.LeadStatus",
        "campaigns.domain.partners.contract.TokenScope",
        "campaigns.domain.partners.touches.TouchChannel",
        "campaigns.domain.receipts.refusals.Blame",
        "campaigns.domain.requests.call.RequestPriority",
        "campaigns.domain.requests.call.RowCode",
        "campaigns.domain.sending.eligibility.Verdict",
        "campaigns.domain.sending.states.ChunkState",
        "campaigns.domain.sending.states.DispatchSource",
        "campaigns.domain.sending.volumes.VolumePeriod",
        "customers.domain.consents.consent.ReportedConsentEffect",
        "customers.domain.consents.preferences.PreferenceName",
        "customers.domain.events.event.EventProblem",
        "customers.domain.fields.catalogue.DataClass",
        "customers.domain.fields.catalogue.FieldType",
        "customers.domain.fields.catalogue.RuleUse",
        "customers.domain.fields.catalogue.Store",
        "customers.domain.identity.merging.Prefer",
        "customers.domain.imports.mapping.Others",
        "customers.domain.imports.mapping.TargetKind",
        "customers.domain.imports.states.ChangeOutcome",
        "customers.domain.imports.states.ImportChangeKind",
        "customers.domain.imports.states.RowState",
        "customers.domain.linkage.records.ColumnRole",
        "customers.domain.loans.instalments.Component",
        "customers.domain.loans.instalments.MonthRule",
        "customers.domain.loans.loan.Bucket",
        "customers.domain.loans.rows.LoanKind",
        "customers.domain.credit.affordability.FlowKind",
        "customers.domain.credit.rows.CreditKind",
        "customers.domain.reading.tables.TableKind",
        "customers.domain.score_standing.ScoreState",
        "customers.domain.segments.diff.RuleChangeKind",
        "customers.domain.segments.states.BuildState",
        "customers.domain.segments.states.SegmentKind",
        "customers.domain.values.quality.QualitySeverity",
    }
)
# Texts of a public API's answers, by the codes of several enums.
_OWN_TABLES = frozenset({"campaigns/api/texts.py"})
_TRANSLATIONS = frozenset({"_", "gettext", "gettext_lazy"})


def _modules(layers: tuple[str, ...]) -> Iterator[ModuleType]:
    for app in _APPS:
        for found in pkgutil.walk_packages(importlib.import_module(app).__path__, f"{app}."):
            if found.name.split(".")[1] in layers:
                yield importlib.import_module(found.name)


def _name(enum: type) -> str:
    return f"{enum.__module__}.{enum.__name__}"


def _enums(layers: tuple[str, ...]) -> set[str]:
    return {
        _name(value)
        for module in _modules(layers)
        for value in vars(module).values()
        if isinstance(value, type)
        and issubclass(value, StrEnum)
        and value.__module__ == module.__name__
    }


def _domain_texts() -> Iterator[tuple[str, type[StrEnum], Mapping[StrEnum, Text]]]:
    """Yield the public tables of texts of the domain, which rules and their sentences share."""
    for module in _modules(("domain",)):
        for name, table in vars(module).items():
            if name.startswith("_") or not isinstance(table, Mapping) or not table:
                continue
            enums = {type(key) for key in table}
            is_text = all(isinstance(value, Text) for value in table.values())
            if is_text and len(enums) == 1 and issubclass(enum := enums.pop(), StrEnum):
                yield f"{module.__name__}.{name}", enum, table


def test_every_vocabulary_that_is_shown_has_one_table() -> None:
    shown = {
        _name(value.enum)
        for module in _modules(("labels",))
        for value in vars(module).values()
        if isinstance(value, Vocabulary)
    }
    worded = {_name(enum) for _name_of_table, enum, _table in _domain_texts()}
    known = _enums(("domain",))
    assert known - shown - worded == _UNSHOWN
    assert known >= _UNSHOWN


def test_vocabularies_are_of_the_domain() -> None:
    assert _enums(("models", "services")) <= {
        "customers.services.consents.opt_ins.Confirmation",
        "customers.services.events.log.EventOutcome",
        "customers.services.segments.members.MembershipReason",
    }


def test_tables_of_the_domains_texts_are_complete() -> None:
    gaps = {
        name: missing
        for name, enum, table in _domain_texts()
        if (missing := [member.value for member in enum if member not in table])
    }
    # Dates word some operators in another way; the others are read from the general table.
    gaps.pop("customers.domain.fields.catalogue.DATE_OPERATOR_LABELS", None)
    assert gaps == {}


def test_no_table_of_labels_or_tones_stands_beside_the_vocabularies() -> None:
    found = []
    for file in source.files():
        if "/labels" in file.path or file.path in _OWN_TABLES:
            continue
        parents = {
            child: node for node in ast.walk(file.tree) for child in ast.iter_child_nodes(node)
        }
        for node in ast.walk(file.tree):
            is_tones = isinstance(node, ast.Name) and node.id.endswith("TONES")
            if is_tones or (_is_labels(node) and not _is_vocabulary(parents.get(node))):
                found.append(f"{file.path}:{node.lineno}")  # type: ignore[attr-defined]
    assert found == []


def _is_labels(node: ast.AST) -> bool:
    """Return whether this is a dictionary from an enum's members to translated words."""
    return isinstance(node, ast.Dict) and any(
        isinstance(key, ast.Attribute)
        and isinstance(key.value, ast.Name)
        and key.value.id[0].isupper()
        and isinstance(value, ast.Call)
        and isinstance(value.func, ast.Name)
        and value.func.id in _TRANSLATIONS
        for key, value in zip(node.keys, node.values, strict=True)
    )


def _is_vocabulary(node: ast.AST | None) -> bool:
    return (
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id == "Vocabulary"
    )
