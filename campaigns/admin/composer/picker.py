"""What a text may say about a person, to be put in at the cursor."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from campaigns.domain.content.sample_people import example_of
from campaigns.domain.content.texts import CATALOGUE, VariableKind
from customers.models import AttributeDefinition
from loancrm.kernel.words.phrases import reads_chinese

# What is said in the text where it is not known, in the text's own language.
_DEFAULTS = {
    "name": ("客户", "customer"),
    "first_name": ("客户", "customer"),
    "last_name": ("客户", "customer"),
    "city": ("您所在的城市", "your city"),
    "province": ("您所在的地区", "your region"),
}
_FILTERS = {VariableKind.MONEY: "money", VariableKind.RATE: "percent", VariableKind.DATE: "date"}


@dataclass(frozen=True, slots=True)
class PickerEntry:
    """One variable as the picker offers it.

    Attributes:
        chinese: What is put into a Chinese text.
        english: What is put into an English text.
        sample: How a value looks.
        default: What stands there for people without a value; empty where they are skipped.
    """

    name: str
    label: str
    sample: str
    default: str
    chinese: str
    english: str


def entries() -> list[PickerEntry]:
    """Return the catalogue's variables, then the attributes that texts may name."""
    is_chinese = reads_chinese()
    found = [
        _entry(
            variable.name,
            variable.label_zh if is_chinese else variable.label_en,
            variable.example,
            variable.kind,
        )
        for variable in CATALOGUE
    ]
    attributes = AttributeDefinition.objects.filter(is_risk_only=False).order_by("name")
    return found + [
        _entry(
            row.name, str(row), example_of(row.name, row.value_type, str(row)), VariableKind.TEXT
        )
        for row in attributes
    ]


def _entry(name: str, label: str, example: Any, kind: VariableKind) -> PickerEntry:
    chinese, english = _DEFAULTS.get(name, ("", ""))
    return PickerEntry(
        name=name,
        label=label,
        sample=_sample(example, kind),
        default=chinese if reads_chinese() else english,
        chinese=_code(name, kind, chinese),
        english=_code(name, kind, english),
    )


def _code(name: str, kind: VariableKind, default: str) -> str:
    if kind is VariableKind.LIST:
        return f"{{% for item in {name} %}}{{{{ item.name }}}} {{% endfor %}}"
    shown = f" | {_FILTERS[kind]}" if kind in _FILTERS else ""
    otherwise = f' | default("{default}")' if default else ""
    return f"{{{{ {name}{shown}{otherwise} }}}}"


def _sample(example: Any, kind: VariableKind) -> str:
    if kind is VariableKind.LIST:
        return " · ".join(str(item["name"]) for item in example)
    if kind is VariableKind.MONEY:
        return f"¥{example:,}"
    if kind is VariableKind.RATE:
        return f"{Decimal(example) * 100:.2f}%"
    return str(example)
