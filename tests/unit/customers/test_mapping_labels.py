"""Where a mapping is wrong is told in words: which column, which part of it, which line."""

import json

import pytest
from django.utils import translation

from customers.domain.imports.mapping import parse_mapping
from customers.domain.imports.mapping_json import MappingError
from customers.labels import mappings as mapping_labels

GOOD = {"name": "core", "columns": {"手机号": "contact.phone"}}
CASES = [
    (
        {"columns": {"手机号": "contact.fax"}},
        "column “手机号”, where it goes (line 4): there is no",
    ),
    (
        {"columns": {"a.b": [{"to": "contact.phone"}, {"to": "contact.email", "blank": "x"}]}},
        "column “a.b”, field no. 2, what a blank cell does (line 4): a value that is not allowed",
    ),
    (
        {"columns": {"性别": {"to": "customer.gender", "kolour": 1}}},
        "column “性别” (line 6): an unknown word: “kolour”",
    ),
    (
        {"columns": {"性别": {"to": "customer.gender", "dictionary": {"男": 1}}}},
        "column “性别”, its dictionary, “男” (line 4): a value of the wrong type",
    ),
    ({"limits": {"nosuch": 1}}, "the limits (line 7): an unknown word: “nosuch”"),
    ({"ignore": ["x", 3]}, "the columns that are not imported (line 6): a value of the wrong type"),
    ({"consent": {"text": "yes"}}, "the column with the time of the consent: something is missing"),
    ({"version": 99}, "the version of the format (line 6): a version"),
    ({"name": ""}, "the name of the mapping (line 2): a value"),
]


@pytest.mark.parametrize(("change", "told"), CASES)
def test_a_mistake_is_told_by_column_part_and_line(change, told):
    text = json.dumps(GOOD | change, ensure_ascii=False, indent=1)
    with translation.override("en"), pytest.raises(MappingError) as caught:
        parse_mapping(json.loads(text))
    with translation.override("en"):
        assert str(mapping_labels.fault(caught.value, text=text)).startswith(told)
    with translation.override("zh-hans"):
        words = str(mapping_labels.fault(caught.value, text=text))
    assert not any(word in words for word in ("column", "line", "columns."))


def test_a_column_is_not_another_whose_name_begins_alike():
    assert mapping_labels.column_of("columns.phone2[1].to") == "phone2"
    assert mapping_labels.column_of("limits.phone_invalid") == ""
