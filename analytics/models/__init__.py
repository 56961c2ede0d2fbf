"""All tables of the app, so that Django finds them."""

from analytics.models.assumption import CreditAssumption, CreditEstimate
from analytics.models.discovery import DiscoveryModel, DiscoveryRun
from analytics.models.loan_book import LoanHistory, LoanMonthEnd
from analytics.models.modelling import ModelVersion, RegisteredModel, ScoringRun, TrainingRun
from analytics.models.override import ProtectedOverride
from analytics.models.policy import CreditDecision, DecisionReview, PolicyVersion
from analytics.models.snapshot import MetricSnapshot
from analytics.models.targeting import TargetingList, TargetingRun
from analytics.models.warning import RiskAlert, RiskCase, WarningBacktest, WarningRule

__all__ = [
    "CreditAssumption",
    "CreditDecision",
    "CreditEstimate",
    "DecisionReview",
    "DiscoveryModel",
    "DiscoveryRun",
    "LoanHistory",
    "LoanMonthEnd",
    "MetricSnapshot",
    "ModelVersion",
    "PolicyVersion",
    "ProtectedOverride",
    "RegisteredModel",
    "RiskAlert",
    "RiskCase",
    "ScoringRun",
    "TargetingList",
    "TargetingRun",
    "TrainingRun",
    "WarningBacktest",
    "WarningRule",
]
