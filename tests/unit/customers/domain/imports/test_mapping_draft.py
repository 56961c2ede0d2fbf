"""Choices a column, to and from the JSON of a mapping; and what differs between two mappings."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from customers.domain.imports.mapping import parse_mapping
from customers.domain.imports.mapping_diff import MappingDifference, differences
from customers.domain.imports.mapping_draft import ColumnChoice, choices_of, definition_from
from customers.domain.imports.mapping_json import MappingError
from customers.selectors.imports.mappings import SHIPPED, shipped_names

TEXT = st.text(st.characters(categories=["L", "N"]), min_size=1, max_size=6)
CHOICES = st.lists(
    st.builds(
        ColumnChoice,
        column=TEXT,
        target=st.sampled_from(
            ["", "ignore", "customer.city", "contact.phone", "attribute.x", "consent.sms.marketing"]
        ),
        transform=st.sampled_from(["none", "lower", "region_short"]),
        dictionary=st.lists(st.tuples(TEXT, TEXT), max_size=3, unique_by=lambda one: one[0]).map(
            lambda words: "\n".join(f"{word}={code}" for word, code in words)
        ),
        expected=st.booleans(),
        optional=st.booleans(),
        region=st.sampled_from(["CN", "CZ"]),
    ),
    max_size=6,
    unique_by=(lambda one: one.column, lambda one: one.target or one.column),
)


@pytest.mark.parametrize("name", shipped_names())
def test_a1_a_shipped_mapping_survives_the_builder(name: str) -> None:
    definition = json.loads((SHIPPED / f"{name}.json").read_text("utf-8"))
    columns = [*definition["columns"], definition["id_column"], *definition.get("ignore", [])]
    choices = choices_of(definition, columns)
    rebuilt = definition_from(choices, base=definition, name=name, source=definition["source"])
    assert parse_mapping(rebuilt) == parse_mapping(definition)


@given(CHOICES)
def test_a1_choices_become_a_mapping_and_come_back(choices: list[ColumnChoice]) -> None:
    definition = definition_from(choices, base={}, name="m", source="s")
    parse_mapping(definition)
    columns = [choice.column for choice in choices]
    back = choices_of(definition, columns)
    again = definition_from(back, base={}, name="m", source="s")
    assert again == definition
    assert [(one.column, one.target) for one in back] == [
        (one.column, one.target) for one in choices
    ]


def test_a_dictionary_line_needs_an_equals_sign() -> None:
    with pytest.raises(MappingError) as refused:
        definition_from(
            [ColumnChoice("等级", "customer.education", dictionary="本科")],
            base={},
            name="m",
            source="",
        )
    assert (refused.value.path, refused.value.problem) == ("columns.等级.dictionary", "wrong_value")


def test_two_columns_cannot_both_hold_the_id() -> None:
    choices = [ColumnChoice("a", "id_column"), ColumnChoice("b", "id_column")]
    with pytest.raises(MappingError, match="repeated_target"):
        definition_from(choices, base={}, name="m", source="")


def test_a1_differences_name_their_places() -> None:
    before = {"name": "m", "columns": {"a": "customer.city", "b": {"to": "contact.phone"}}}
    after = {
        "name": "m",
        "columns": {"a": {"to": "customer.city", "blank": "erase"}, "c": "customer.name"},
    }
    assert differences(before, after) == [
        MappingDifference(
            "columns.a", "customer.city", '{"to": "customer.city", "blank": "erase"}'
        ),
        MappingDifference("columns.c", "", "customer.name"),
        MappingDifference("columns.b", '{"to": "contact.phone"}', ""),
    ]
    assert differences(after, after) == []
