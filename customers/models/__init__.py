"""All tables of the app, so that Django finds them."""

from customers.models.attribute import AttributeDefinition, AttributeValue
from customers.models.consent import ConsentRecord, ConsentState, UnclearConsent
from customers.models.contact import ContactPoint
from customers.models.credit import (
    BureauPull,
    IncomeFlow,
    Inquiry,
    Tradeline,
    VendorValue,
)
from customers.models.customer import Customer
from customers.models.event import Event, EventType
from customers.models.export import SegmentExport
from customers.models.history import PastAttribute, PastProfile
from customers.models.identity import DuplicateSearch, IdentityLink, MergeDecision
from customers.models.import_batch import (
    ImportBatch,
    ImportChange,
    ImportFilePart,
    ImportFinding,
    ImportRow,
    RejectedRow,
)
from customers.models.lifecycle import StageEntry
from customers.models.loan import Application, Instalment, Loan, Product, Repayment
from customers.models.mapping import SavedMapping
from customers.models.merge import Merge, SurvivorshipRule
from customers.models.offer import ListedPartner, ProductFee
from customers.models.preference import OptInRequest, PreferenceRecord, PrivacyRequest
from customers.models.relationship import (
    Relationship,
    RelationshipRun,
    SharedKey,
    SharedTie,
)
from customers.models.score import Score, ScoreStanding
from customers.models.segment import Segment, SegmentBuild, SegmentMember, SegmentVersion
from customers.models.source import DataSource

__all__ = [
    "Application",
    "AttributeDefinition",
    "AttributeValue",
    "BureauPull",
    "ConsentRecord",
    "ConsentState",
    "ContactPoint",
    "Customer",
    "DataSource",
    "DuplicateSearch",
    "Event",
    "EventType",
    "IdentityLink",
    "ImportBatch",
    "ImportChange",
    "ImportFilePart",
    "ImportFinding",
    "ImportRow",
    "IncomeFlow",
    "Inquiry",
    "Instalment",
    "ListedPartner",
    "Loan",
    "Merge",
    "MergeDecision",
    "OptInRequest",
    "PastAttribute",
    "PastProfile",
    "PreferenceRecord",
    "PrivacyRequest",
    "Product",
    "ProductFee",
    "RejectedRow",
    "Relationship",
    "RelationshipRun",
    "Repayment",
    "SavedMapping",
    "Score",
    "ScoreStanding",
    "Segment",
    "SegmentBuild",
    "SegmentExport",
    "SegmentMember",
    "SegmentVersion",
    "SharedKey",
    "SharedTie",
    "StageEntry",
    "SurvivorshipRule",
    "Tradeline",
    "UnclearConsent",
    "VendorValue",
]
