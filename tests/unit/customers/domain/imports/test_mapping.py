"""Mappings of file columns."""

import json
from pathlib import Path

import pytest

import customers
from customers.domain.imports.mapping import TargetKind, parse_mapping
from customers.domain.imports.mapping_json import MappingError
from customers.domain.values.attribute import AttributeType

SHIPPED = sorted((Path(customers.__file__).parent / "mappings").glob("*.json"))


def content(**columns: object) -> dict[str, object]:
    return {"version": 1, "name": "test", "columns": columns or {"姓名": "customer.name"}}


def test_a_mapping_is_read_into_targets() -> None:
    mapping = parse_mapping(
        content(
            姓名={"to": "customer.name", "expected": True},
            手机="contact.phone",
            同意="consent.sms.marketing",
            收入={"to": "attribute.income", "type": "number", "transform": "amount"},
        )
        | {"id_column": "编号"}
    )
    kinds = [item.targets[0].kind for item in mapping.columns]
    assert kinds == [
        TargetKind.CUSTOMER,
        TargetKind.CONTACT,
        TargetKind.CONSENT,
        TargetKind.ATTRIBUTE,
    ]
    assert mapping.attribute_types() == {"income": AttributeType.NUMBER}
    assert mapping.source == "test"
    assert mapping.missing_columns(("手机", "同意")) == ("编号", "姓名", "收入")


@pytest.mark.parametrize(
    ("broken", "path", "problem"),
    [
        ([], "mapping", "wrong_type"),
        ({"name": "x"}, "columns", "missing_key"),
        (content() | {"version": 2}, "version", "wrong_version"),
        (content() | {"extra": 1}, "mapping.extra", "unknown_key"),
        (content() | {"name": "Big Name"}, "name", "wrong_value"),
        (content() | {"priority": 50}, "mapping.priority", "unknown_key"),
        (content(a="customer.salary"), "columns.a.to", "unknown_target"),
        (content(a="consent.sms"), "columns.a.to", "unknown_target"),
        (content(a={"type": "text"}), "columns.a.to", "missing_key"),
        (content(a={"to": "attribute.x", "type": "int"}), "columns.a.type", "wrong_value"),
        (content(a={"to": "customer.city", "type": "text"}), "columns.a.type", "wrong_value"),
        (content(a=["customer.name", 3]), "columns.a[1]", "wrong_type"),
        (content(a={"to": "customer.city", "dictionary": {"x": 1}}), *("columns.a.dictionary.x", "wrong_type")),  # noqa: E501 - one case a line
        (content(a="customer.name", b="customer.name"), "columns.b.to", "repeated_target"),
        (content() | {"constants": {"customer.name": "x"}}, *("constants.customer.name", "unknown_target")),  # noqa: E501 - one case a line
    ],
)  # fmt: skip
def test_every_mistake_is_named_with_its_path(broken: object, path: str, problem: str) -> None:
    with pytest.raises(MappingError) as caught:
        parse_mapping(broken)
    assert (caught.value.path, caught.value.problem) == (path, problem)


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_shipped_mappings_are_valid_and_named_like_their_files(path: Path) -> None:
    raw = json.loads(path.read_text(encoding="utf-8"))
    if "targets" in raw or "id_column" not in raw:
        pytest.skip("a mapping of another kind of file")
    assert parse_mapping(raw).name == path.stem
