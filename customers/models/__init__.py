"""All tables of the app, so that Django finds them."""

from customers.models.attribute import AttributeDefinition, AttributeType, AttributeValue
from customers.models.consent import ConsentRecord, ConsentState, UnclearConsent
from customers.models.contact import ContactPoint
from customers.models.customer import Customer
from customers.models.event import Event, EventType
from customers.models.export import ExportState, SegmentExport
from customers.models.identity import (
    DuplicateSearch,
    IdentityLink,
    MergeDecision,
    MergeState,
    SearchState,
)
from customers.models.import_batch import (
    ChangeKind,
    ChangeOutcome,
    ImportBatch,
    ImportChange,
    ImportFilePart,
    ImportFinding,
    ImportMode,
    ImportRow,
    ImportState,
    ImportWish,
    RejectedRow,
    RowState,
)
from customers.models.lifecycle import StageEntry
from customers.models.loan import Application, Instalment, Loan, Product, Repayment
from customers.models.mapping import SavedMapping
from customers.models.merge import Merge, SurvivorshipRule
from customers.models.preference import OptInRequest, PreferenceRecord, PrivacyRequest
from customers.models.relationship import (
    Relationship,
    RelationshipRun,
    SharedKey,
    SharedTie,
)
from customers.models.score import Score
from customers.models.segment import (
    BuildState,
    ChangeCursor,
    Segment,
    SegmentBuild,
    SegmentKind,
    SegmentMember,
    SegmentVersion,
)
from customers.models.source import DataSource

__all__ = [
    "Application",
    "AttributeDefinition",
    "AttributeType",
    "AttributeValue",
    "BuildState",
    "ChangeCursor",
    "ChangeKind",
    "ChangeOutcome",
    "ConsentRecord",
    "ConsentState",
    "ContactPoint",
    "Customer",
    "DataSource",
    "DuplicateSearch",
    "Event",
    "EventType",
    "ExportState",
    "IdentityLink",
    "ImportBatch",
    "ImportChange",
    "ImportFilePart",
    "ImportFinding",
    "ImportMode",
    "ImportRow",
    "ImportState",
    "ImportWish",
    "Instalment",
    "Loan",
    "Merge",
    "MergeDecision",
    "MergeState",
    "OptInRequest",
    "PreferenceRecord",
    "PrivacyRequest",
    "Product",
    "RejectedRow",
    "Relationship",
    "RelationshipRun",
    "Repayment",
    "RowState",
    "SavedMapping",
    "Score",
    "SearchState",
    "Segment",
    "SegmentBuild",
    "SegmentExport",
    "SegmentKind",
    "SegmentMember",
    "SegmentVersion",
    "SharedKey",
    "SharedTie",
    "StageEntry",
    "SurvivorshipRule",
    "UnclearConsent",
]
