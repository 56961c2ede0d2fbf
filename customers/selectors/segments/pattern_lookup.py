"""A marketer's pattern against a column, the same on both databases."""

from typing import Any

from django.db.models import BooleanField, Func

from customers.domain.segments import patterns

_FUNCTION = "loancrm_pattern_in"


class PatternIn(Func):
    """Whether a pattern (a constant, checked before) is found in a text; NULL for NULL."""

    function = _FUNCTION
    arity = 2
    output_field = BooleanField()

    def as_postgresql(self, compiler: Any, connection: Any, **_: Any) -> tuple[str, Any]:
        """Return the condition with the pattern as PostgreSQL reads it, free of its locale."""
        text, constant = self.get_source_expressions()
        column, parameters = compiler.compile(text)
        canonical = patterns.compiled(constant.value).canonical
        return f"{column}::text ~ %s", [*parameters, canonical]


def teach_sqlite(*, connection: Any, **_: Any) -> None:
    """Give a new SQLite connection the function; its own REGEXP may be slow beyond measure."""
    if connection.vendor == "sqlite":
        connection.connection.create_function(_FUNCTION, 2, _is_in, deterministic=True)


def _is_in(text: str | None, pattern: str) -> bool | None:
    return None if text is None else patterns.compiled(pattern).is_in(text)
