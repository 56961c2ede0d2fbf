import json
from datetime import date

import pytest
from django.core.management import CommandError, call_command

from customers.models import Customer

pytestmark = pytest.mark.django_db


@pytest.fixture
def run(tmp_path, capsys):
    def run_with(rule, *flags):
        path = tmp_path / "rule.json"
        path.write_text(rule if isinstance(rule, str) else json.dumps(rule), encoding="utf-8")
        call_command("segment", str(path), *flags)
        return capsys.readouterr().out

    return run_with


@pytest.fixture
def people(now):
    return [
        Customer.objects.create(
            external_id=f"B{number}",
            birth_date=date(year, 1, 1),
            created_at=now,
            updated_at=now,
        )
        for number, year in enumerate((1980, 1990, 2020))
    ]


GROWN = {"combinator": "and", "rules": [{"field": "age", "operator": ">=", "value": 18}]}


def test_the_count_and_the_seconds_are_printed_as_json(people, run):
    content = json.loads(run(GROWN, "--json"))
    assert set(content) == {"count", "seconds"}
    assert content["count"] == 2
    assert 0 <= content["seconds"] < 60


def test_the_ids_are_written_one_a_line(people, run, tmp_path):
    path = tmp_path / "ids.txt"
    run(GROWN, "--json", "--ids", str(path))
    assert path.read_text().splitlines() == [str(people[0].pk), str(people[1].pk)]
    run(GROWN, "--json", "--ids", str(path), "--id-field", "external_id")
    assert path.read_text().splitlines() == ["B0", "B1"]


def test_the_statement_is_printed_with_its_parameters(people, run):
    content = json.loads(run(GROWN, "--json", "--sql"))
    assert content["sql"].startswith("SELECT")
    assert content["sql"].count("%s") == len(content["params"]) == 1


def test_a_rule_with_problems_ends_the_command_with_their_places(run):
    with pytest.raises(
        CommandError, match=r"segment_rule_invalid: .*第 1 个条件（年龄）：请填写数字"
    ):
        run({"combinator": "and", "rules": [{"field": "age", "operator": ">", "value": "x"}]})
    with pytest.raises(CommandError, match="segment_rule_invalid"):
        run("{")
