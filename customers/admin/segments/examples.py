"""Rules that a marketer can start from."""

from typing import Any

from django.utils.translation import gettext as _


def examples() -> list[dict[str, Any]]:
    """Return named rules in the builder's shape, labels in the reader's language."""
    return [*_templates(), *_first_steps()]


def _templates() -> list[dict[str, Any]]:
    """Return whole rules for what lenders do most."""
    return [
        {
            "label": _("Win back dormant customers"),
            "rule": _all(
                {"field": "lifecycle_stage", "operator": "in", "value": ["dormant", "churned"]},
                {
                    "field": "event",
                    "operator": "=",
                    "value": {
                        "event": "app_login",
                        "aggregate": "days_since_last",
                        "operator": ">",
                        "value": 90,
                    },
                },
                {"field": "consent.sms.marketing", "operator": "granted", "value": None},
            ),
        },
        {
            "label": _("Raise the limit of good payers"),
            "rule": _all(
                {
                    "field": "loan",
                    "operator": "=",
                    "value": {
                        "where": [
                            {"property": "status", "operator": "=", "value": "active"},
                            {"property": "max_dpd_days", "operator": "=", "value": 0},
                            {"property": "months_on_book", "operator": ">=", "value": 6},
                        ]
                    },
                },
                _event("repayment_made", 6, 365),
                {"field": "marketing_status", "operator": "=", "value": "open"},
            ),
        },
    ]


def _first_steps() -> list[dict[str, Any]]:
    """Return short rules that show one kind of condition each."""
    return [
        {
            "label": _("Active in the app, may get SMS"),
            "rule": _all(
                _event("app_login", 2, 30),
                {"field": "consent.sms.marketing", "operator": "granted", "value": None},
            ),
        },
        {
            "label": _("Started an application, did not submit it"),
            "rule": _all(
                _event("application_started", 1, 30),
                {
                    "combinator": "and",
                    "not": True,
                    "rules": [_event("application_submitted", 1, 30)],
                },
            ),
        },
        {
            "label": _("Repaid everything, no new loan"),
            "rule": _all(
                {"field": "lifecycle_stage", "operator": "in", "value": ["repaid", "dormant"]},
                {
                    "combinator": "and",
                    "not": True,
                    "rules": [_event("loan_disbursed", 1, 90)],
                },
            ),
        },
        {
            "label": _("Pays on time, loan about half a year old"),
            "rule": _all(
                {
                    "field": "loan",
                    "operator": "=",
                    "value": {
                        "where": [
                            {"property": "dpd_days", "operator": "=", "value": 0},
                            {"property": "months_on_book", "operator": ">=", "value": 6},
                        ]
                    },
                }
            ),
        },
    ]


def _all(*rules: dict[str, Any]) -> dict[str, Any]:
    return {"combinator": "and", "rules": list(rules)}


def _event(name: str, at_least: int, days: int) -> dict[str, Any]:
    return {
        "field": "event",
        "operator": "=",
        "value": {
            "event": name,
            "aggregate": "count",
            "operator": ">=",
            "value": at_least,
            "within_days": days,
        },
    }
