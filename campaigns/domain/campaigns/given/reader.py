"""Reading values of a JSON object, with a note of everything that is wrong with them."""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from campaigns.domain.campaigns.given.changes import problem_of
from campaigns.domain.campaigns.given.problems import ValueProblem, ValueProblemCode

MOST_WHOLE = 32_767


class Reader:
    """Reads values of a JSON object and notes what is wrong with them."""

    def __init__(self) -> None:
        self.problems: list[ValueProblem] = []

    def wrong(self, path: str, code: ValueProblemCode, limit: str = "") -> None:
        """Note a problem."""
        self.problems.append(ValueProblem(path, code, limit))

    def field(self, name: str, value: Any, path: str) -> None:
        """Note what a field of a campaign cannot hold, unless the path is known to be wrong."""
        found = problem_of(name, value, path=path)
        if found is not None and path not in {problem.path for problem in self.problems}:
            self.problems.append(found)

    def text(
        self, source: Mapping[str, Any], key: str, path: str, *, required: bool = False
    ) -> str:
        """Return a text; of one given by language the Chinese, else the English."""
        value = source.get(key, "")
        if isinstance(value, Mapping):
            value = value.get("zh-hans") or value.get("en") or ""
        if not isinstance(value, str) or "\x00" in value or (required and not value.strip()):
            self.wrong(path, ValueProblemCode.TEXT_EXPECTED)
            return ""
        return value

    def number(
        self, source: Mapping[str, Any], key: str, path: str, default: Decimal | None
    ) -> Decimal | None:
        """Return a number of at least 0."""
        value = source.get(key)
        if value is None or value == "":
            return default
        try:
            number = Decimal(str(value))
        except InvalidOperation:
            number = Decimal("NaN")
        if not number.is_finite() or number < 0:
            self.wrong(path, ValueProblemCode.NUMBER_EXPECTED)
            return default
        return number

    def whole(
        self,
        source: Mapping[str, Any],
        key: str,
        path: str,
        default: int,
        *,
        most: int = MOST_WHOLE,
    ) -> int:
        """Return a whole number of at least 0."""
        number = self.number(source, key, path, Decimal(default))
        if number is not None and number > most:
            self.wrong(path, ValueProblemCode.AT_MOST, str(most))
            return default
        if number is None or number != int(number):
            self.wrong(path, ValueProblemCode.WHOLE_EXPECTED)
            return default
        return int(number)

    def flag(self, source: Mapping[str, Any], key: str, path: str, *, default: bool) -> bool:
        """Return true or false, the default where nothing is said."""
        value = source.get(key)
        if value is None:
            return default
        if not isinstance(value, bool):
            self.wrong(path, ValueProblemCode.FLAG_EXPECTED)
            return default
        return value

    def moment(self, source: Mapping[str, Any], key: str, path: str) -> datetime | None:
        """Return a time with its offset, None where there is none."""
        value = source.get(key)
        if not value:
            return None
        try:
            moment = datetime.fromisoformat(str(value))
        except ValueError:
            moment = None
        if moment is None or moment.tzinfo is None:
            self.wrong(path, ValueProblemCode.TIME_EXPECTED)
            return None
        return moment

    def mapping(self, value: Any, path: str) -> Mapping[str, Any]:
        """Return a value as a mapping, an empty one where it is none."""
        if not isinstance(value, Mapping):
            self.wrong(path, ValueProblemCode.OBJECT_EXPECTED)
            return {}
        return value
