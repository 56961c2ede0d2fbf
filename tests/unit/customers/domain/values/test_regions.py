"""Codes of GB/T 2260 in and out, and through a mapping."""

import csv
import json
from datetime import UTC, date

import pytest

from customers.domain.imports.mapping import parse_mapping
from customers.domain.imports.mapping_draft import choices_of, definition_from
from customers.domain.imports.tryout import try_out
from customers.domain.values import regions
from customers.domain.values.quality import Code, ValueRefused
from customers.domain.values.regions import Level, name_at, region_of, short_name


def test_s67_every_code_of_the_list_names_a_region_of_its_own():
    found = regions.regions()

    assert len(found) == 3209
    assert {code: region_of(code).code for code in found} == {code: code for code in found}
    assert len({(r.province, r.city, r.district) for r in found.values()}) == len(found)


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("330106", ("浙江", "杭州", "西湖区")),
        ("3301", ("浙江", "杭州", "")),
        ("33", ("浙江", "", "")),
        ("110108", ("北京", "北京", "海淀区")),
        ("110000", ("北京", "北京", "")),
        ("429004", ("湖北", "仙桃", "仙桃市")),
        ("150100", ("内蒙古", "呼和浩特", "")),
        ("222401", ("吉林", "延边朝鲜族自治州", "延吉市")),
        # A district that was withdrawn: its city is still told.
        ("330199", ("浙江", "杭州", "")),
        ("11010519491231002x", ("北京", "北京", "朝阳区")),
    ],
)
def test_s67_a_code_or_an_identity_number_names_its_region(text, names):
    found = region_of(text)

    assert (found.province, found.city, found.district) == names


@pytest.mark.parametrize("text", ["", "990000", "33010", "杭州", "33O106", "-330106"])
def test_s67_what_is_no_code_is_refused(text):
    with pytest.raises(ValueRefused) as refused:
        region_of(text)
    assert refused.value.code is Code.CATEGORY_UNKNOWN


def test_s67_a_level_that_the_code_does_not_reach_is_refused_and_full_names_are_understood():
    with pytest.raises(ValueRefused):
        name_at("330000", Level.CITY)
    with pytest.raises(ValueRefused):
        name_at("330199", Level.DISTRICT)
    assert (short_name("浙江省"), short_name("杭州市")) == ("浙江", "杭州")


def test_s67_one_column_of_codes_fills_province_city_and_district_and_a_dictionary_comes_back():
    definition = {
        "version": 1,
        "name": "regions",
        "source": "regions",
        "id_column": "编号",
        "columns": {
            "行政区划": [
                {"to": "customer.province", "transform": "region_province"},
                {"to": "customer.city", "transform": "region_city"},
                {"to": "attribute.district", "type": "text", "transform": "region_district"},
            ],
            "学历": {
                "to": "customer.education",
                "dictionary": {"本科": "bachelor", "硕士": "master"},
            },
        },
    }
    choices = choices_of(definition, ["编号", "行政区划", "学历"])
    again = definition_from(choices, base=definition, name="regions", source="regions")
    rows = [
        {"编号": "1", "行政区划": "330106", "学历": "本科"},
        {"编号": "2", "行政区划": "990000", "学历": "幼儿园"},
    ]

    tried = try_out(parse_mapping(again), rows, lines=[2, 3], today=date(2026, 1, 1), zone=UTC)

    assert json.dumps(again, sort_keys=True) == json.dumps(definition, sort_keys=True)
    assert tried.by_reason == {"category_unknown": 4}
    person = tried.rows[0].person
    assert person.texts == {"province": "浙江", "city": "杭州", "education": "bachelor"}
    assert [(item.name, item.text) for item in person.attributes] == [("district", "西湖区")]


def test_s67_the_list_is_that_of_the_vectors(shared_data):
    path = shared_data / "vectors_cn_id" / "gb2260_codes.csv"
    with path.open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))

    found = regions.regions()

    assert {row["code"] for row in rows} == found.keys()
    for row in rows:
        told = found[row["code"]]
        assert row["name"] in {told.district, told.province} or row["name"].startswith(
            told.city or told.province
        )
