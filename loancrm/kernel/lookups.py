"""A membership test that costs the same for one key and for five hundred."""

import json
from typing import Any

from django.db.models import Field, Lookup
from django.db.models.fields.related import ForeignObject


@Field.register_lookup
@ForeignObject.register_lookup
class AnyOf(Lookup):
    """`field__any_of=[…]`: as `in`, but the keys travel as one parameter.

    `IN (%s, %s, …)` is built, quoted and parsed key by key, which for the batches of dispatch took
    as long as running the query. For whole numbers and texts.
    """

    lookup_name = "any_of"
    prepare_rhs = False

    def as_sql(self, compiler: Any, connection: Any) -> tuple[str, Any]:
        """Return the condition for SQLite (and any database that reads JSON)."""
        lhs, parameters = self.process_lhs(compiler, connection)
        condition = f"{lhs} IN (SELECT value FROM json_each(%s))"  # noqa: S608 - lhs is compiled
        return condition, [*parameters, json.dumps(list(self.rhs))]

    def as_postgresql(self, compiler: Any, connection: Any) -> tuple[str, Any]:
        """Return the condition over an array."""
        lhs, parameters = self.process_lhs(compiler, connection)
        return f"{lhs} = ANY(%s)", [*parameters, list(self.rhs)]
