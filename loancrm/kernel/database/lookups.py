"""A membership test that costs the same for one key and for five hundred."""

import json
from typing import Any

from django.db.models import Field, Lookup
from django.db.models.fields.related import ForeignObject

from loancrm.kernel.database.bulk import array_of_numbers


@Field.register_lookup
@ForeignObject.register_lookup
class AnyOfLookup(Lookup):
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
        """Return the condition over an array of the column's own type.

        Small numbers would travel as `smallint[]`, which PostgreSQL compares with a `bigint` column
        one by one where it could hash: 50 ms instead of 1 ms for 500 keys.
        """
        lhs, parameters = self.process_lhs(compiler, connection)
        column_type = self.lhs.output_field.cast_db_type(connection)
        keys: Any = list(self.rhs)
        if keys and isinstance(keys[0], int):
            keys = array_of_numbers(keys)
        return f"{lhs} = ANY(%s::{column_type}[])", [*parameters, keys]
