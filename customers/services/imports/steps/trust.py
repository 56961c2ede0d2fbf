"""Which of a file's values may overwrite what is stored: field by field, by the trust in sources.

Every stored value knows the source that said it. A value that a more trusted source confirms counts
as that source's from then on, so that the outcome does not hang on the order of the files.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from customers.domain.identity.merging import Prefer, Rule, is_blank, outranks, rule_for
from customers.models import Customer
from customers.selectors.identity.survivorship import survivorship
from loancrm.kernel.database import bulk

# Columns that hold something before anybody has said anything.
DEFAULTS: Final[Mapping[str, Any]] = {
    name: getattr(Customer(), name) for name in ("language", "time_zone")
}


@dataclass(slots=True)
class Trust:
    """The rules as one source meets them; keeps in mind whose values have changed hands.

    Attributes:
        source: The source of the file at hand.
        rules: Rule by field.
        ranks: Some rule ranks sources; otherwise a newer value always wins.
    """

    source: str
    rules: Mapping[str, Rule]
    ranks: bool = False
    _touched: dict[int, dict[str, str]] = field(default_factory=dict)

    def may_replace(self, field_name: str, stored_source: str) -> bool:
        """Return whether the file may overwrite a value that another source has said."""
        return not (self.ranks and outranks(stored_source, self.source, self._rule(field_name)))

    def is_better(self, field_name: str, stored_source: str) -> bool:
        """Return whether the file is trusted more than the source of a stored value."""
        return self.ranks and outranks(self.source, stored_source, self._rule(field_name))

    def may_change(self, customer: Customer, column: str) -> bool:
        """Return whether the file may write a column of a customer."""
        if not self.ranks:
            return True
        said_by = customer.field_sources.get(column)
        value = getattr(customer, _STORED.get(column, column))
        if said_by is None and (is_blank(value) or DEFAULTS.get(column) == value):
            return True
        return self.may_replace(column, said_by or customer.source)

    def claim(self, customer: Customer, column: str) -> None:
        """Remember that a column's value is this file's now; `save` writes it."""
        sources = dict(customer.field_sources)
        value = getattr(customer, _STORED.get(column, column))
        # Written out where the value alone does not show that somebody has said it.
        is_silent = is_blank(value) or DEFAULTS.get(column) == value
        if self.source == customer.source and not is_silent:
            sources.pop(column, None)
        else:
            sources[column] = self.source
        if sources != customer.field_sources:
            customer.field_sources = sources
            self._touched[int(customer.pk)] = sources

    def confirms(self, customer: Customer, column: str) -> bool:
        """Return whether the file, saying what is stored, is trusted more than who said it."""
        return self.ranks and self.is_better(
            column, customer.field_sources.get(column, customer.source)
        )

    def save(self) -> None:
        """Write whose values have changed hands, in the caller's transaction."""
        rows = list(self._touched.items())
        bulk.update_rows(Customer, key="id", columns=["field_sources"], rows=rows)
        self._touched = {}

    def _rule(self, field_name: str) -> Rule:
        return rule_for(self.rules, field_name)


# Columns whose value is looked at by another one.
_STORED: Final = {"name": "name_index", "national_id": "national_id_index"}


def trust_in(source: str) -> Trust:
    """Return what a file of a source may do by the stored rules."""
    rules = survivorship()
    return Trust(source, rules, any(rule.prefer is Prefer.SOURCE for rule in rules.values()))


def said_by_default(texts: Mapping[str, str], source: str) -> dict[str, str]:
    """Return the sources to write down for a new customer: who has said what defaults say too."""
    return {name: source for name, default in DEFAULTS.items() if texts.get(name) == default}
