"""Fit models of lifetime to a file of purchases or of contracts, and value whoever is in it."""

import math
from typing import Any

from django.core.management.base import CommandError, CommandParser

from analytics.domain.lifetime.customer_value import ValueTerms
from analytics.domain.lifetime.reading import PurchaseColumns
from analytics.services.lifetime.contract_files import FittedContracts, fit_contract_file
from analytics.services.lifetime.purchase_files import FittedValues, fit_purchase_file
from loancrm.kernel.commands import arguments
from loancrm.kernel.commands.base import LoanCrmCommand


class Command(LoanCrmCommand):
    help = "Fit lifetime models to purchases (or their summary x, t_x, T, zbar); weeks throughout."
    uses_data = False

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=arguments.file, help="CSV (also .gz), XLSX, JSON lines")
        parser.add_argument("--customer", default="", help="column of the customer")
        parser.add_argument("--date", default="", help="column of the day")
        parser.add_argument("--amount", default="", help="column of the amount")
        parser.add_argument(
            "--contracts",
            action="store_true",
            help="rows are contracts: customer, start, end (empty: runs), amount a month; months",
        )
        parser.add_argument(
            "--until", type=arguments.day, help="learn from purchases up to this day; the rest test"
        )
        parser.add_argument(
            "--weeks", type=arguments.number(0.1, 1000), default=39.0, help="to expect purchases in"
        )
        parser.add_argument(
            "--months", type=arguments.whole(1, 240), default=12, help="horizon of the value"
        )
        parser.add_argument(
            "--margin", type=arguments.number(0, 1), default=1.0, help="share of a purchase"
        )
        parser.add_argument(
            "--discount", type=arguments.number(0, 1), default=0.10, help="a year, as a share"
        )
        parser.add_argument("--json", action="store_true", help="print one JSON object")

    def handle(self, *args: Any, **options: Any) -> None:
        content, rows = self._contracts(options) if options["contracts"] else _purchases(options)
        if options["json"]:
            self.print_json({**content, "customers": rows})
            return
        for name, value in content.items():
            self.stdout.write(f"{name}: {value}")

    def _contracts(self, options: dict[str, Any]) -> tuple[dict[str, Any], list[dict[str, Any]]]:
        if options["discount"] == 0:
            raise CommandError("A contract without an end needs a --discount above 0.")
        found = fit_contract_file(
            path=options["file"], columns=_columns(options), terms=_terms(options),
            until=options["until"],
        )  # fmt: skip
        rows = [
            {"id": each.customer, "age_months": each.age, "clv": _number(each.value)}
            for each in found.running
        ]
        return _contract_content(found), rows


def _columns(options: dict[str, Any]) -> PurchaseColumns:
    return PurchaseColumns(options["customer"], options["date"], options["amount"])


def _terms(options: dict[str, Any]) -> ValueTerms:
    return ValueTerms(options["margin"], options["discount"], options["months"])


def _purchases(options: dict[str, Any]) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    found = fit_purchase_file(
        path=options["file"],
        columns=_columns(options),
        terms=_terms(options),
        until=options["until"],
        horizon_weeks=options["weeks"],
    )
    return _content(found), _customers(found)


def _contract_content(found: FittedContracts) -> dict[str, Any]:
    return {
        "unit": "month",
        "contract_count": found.count,
        "running": len(found.running),
        "until": found.until.isoformat(),
        "sbg": {
            "alpha": found.model.alpha,
            "beta": found.model.beta,
            "log_likelihood": found.model.log_likelihood,
        },
        "known_until": found.known_until,
        "warnings": ["constant_hazard"] if found.model.is_constant else [],
        "hazards": [
            {
                "month": cell.period,
                "at_risk": cell.at_risk,
                "ended": cell.ended,
                "hazard": cell.hazard.rate,
                "low": cell.hazard.low,
                "high": cell.hazard.high,
                "left": found.table.survival(cell.period),
                "left_fitted": found.model.survival(cell.period),
                "stay_fitted": found.model.retention(cell.period),
            }
            for cell in found.table.cells
        ],
        "value_terms": {"margin": found.terms.margin, "discount": found.terms.discount},
        "total_value": _number(sum(each.value for each in found.running)),
    }


def _content(found: FittedValues) -> dict[str, Any]:
    model, spending = found.model, found.spending
    new = model.expected_of_new(found.horizon_weeks)
    return {
        "unit": "week",
        "customer_count": len(found.customers.ids),
        "repeat_customers": int((found.customers.repeats > 0).sum()),
        "repeat_purchases": int(found.customers.repeats.sum()),
        "until": found.until.isoformat() if found.until else None,
        "bg_nbd": {
            "r": model.r,
            "alpha": model.alpha,
            "a": model.a,
            "b": model.b,
            "log_likelihood": model.log_likelihood,
        },
        "gamma_gamma": {
            "p": spending.p,
            "q": spending.q,
            "gamma": spending.gamma,
            "log_likelihood": spending.log_likelihood,
            "customers": spending.customers,
            "correlation": spending.correlation,
            "population_mean": spending.population_mean,
        }
        if spending
        else None,
        "expected_of_new_customer": new,
        "horizon_weeks": found.horizon_weeks,
        "value_terms": {
            "margin": found.terms.margin,
            "discount": found.terms.discount,
            "months": found.terms.months,
        },
        "holdout": {
            "weeks": found.later.weeks,
            "expected": found.later.expected,
            "actual": found.later.actual,
        }
        if found.later
        else None,
        "total_value": _number(float(found.values.sum())),
        "warnings": list(found.warnings),
    }


def _customers(found: FittedValues) -> list[dict[str, Any]]:
    columns = zip(
        found.customers.ids,
        found.alive,
        found.churn,
        found.expected,
        found.mean_values,
        found.values,
        strict=True,
    )
    return [
        {
            "id": name,
            "p_alive": round(float(alive), 6),
            "churn": _number(float(churn)),
            "expected_purchases": _number(float(expected)),
            "mean_value": _number(float(mean)),
            "clv": _number(float(value)),
        }
        for name, alive, churn, expected, mean, value in columns
    ]


def _number(value: float) -> float | None:
    return round(value, 6) if math.isfinite(value) else None
