"""Statements in files: said what they do, used, and true to the models on both databases."""

import re
from pathlib import Path

import pytest
import sqlglot
from django.apps import apps
from django.conf import settings
from sqlglot import exp

from loancrm.kernel.database import named_sql

ROOT = Path(settings.BASE_DIR)
APPS = ("analytics", "campaigns", "customers", "kernel")
# A statement that is put together from several files, by its last one.
FOLLOWS = {
    "lifetime/borrowers": "lifetime/loans",
    "lifetime/first_loans": "lifetime/loans",
    "lifetime/relationships": "lifetime/loans",
    "lifetime/settled_loans": "lifetime/loans",
    "outcomes/cells": "outcomes/persons",
    "outcomes/converters": "outcomes/persons",
    "outcomes/trials": "outcomes/persons",
}
# A statement that is a part of others, by what it is called in them.
INCLUDED = {"first_words": "consents/first_words"}
# What stands in braces, where a name would not do.
PARTS = {"event_type_column": "e.type_id", "window_end": "p.exposed_at", "reasons": "'x'"}
DIALECTS = {"postgresql": "postgres", "sqlite": "sqlite"}


def _folder(app):
    return Path(apps.get_app_config(app).path) / named_sql.FOLDER


FILES = [(app, path) for app in APPS for path in sorted(_folder(app).rglob("*.sql"))]


def _name(app, path):
    """Return what `statement` calls a file by, and for which databases it is."""
    name = path.relative_to(_folder(app)).with_suffix("").as_posix()
    stem, _dot, vendor = name.partition(".")
    return stem, [vendor] if vendor else sorted(DIALECTS)


def _whole(app, name, vendor):
    first = FOLLOWS.get(name)
    text = "".join(named_sql._text(app, each, vendor) for each in (first, name) if each)
    for part, each in INCLUDED.items():
        text = (
            text.replace(f"{{{part}}}", named_sql._text(app, each, vendor))
            if part in text
            else text
        )
    text = re.sub(r"(?<!\{)\{(\w+)\}(?!\})", lambda part: PARTS[part[1]], text)
    text = text.replace("{{", "{").replace("}}", "}")
    return re.sub(r"%\((\w+)\)s", r":\1", text).replace("%%", "%")


STATEMENTS = [
    (app, name, vendor)
    for app, path in FILES
    for name, vendors in [_name(app, path)]
    for vendor in vendors
    if name not in {*FOLLOWS.values(), *INCLUDED.values()}
]


def test_there_are_statements():
    assert STATEMENTS


@pytest.mark.parametrize(("app", "path"), FILES, ids=lambda value: getattr(value, "stem", value))
def test_a_file_says_first_what_it_does_and_is_used(app, path):
    assert path.read_text(encoding="utf-8").startswith("-- ")
    name, _vendors = _name(app, path)
    code = "\n".join(
        each.read_text(encoding="utf-8") for each in (ROOT / _package(app)).rglob("*.py")
    )
    stem = name.rpartition("/")[2]
    assert f'"{name}"' in code or f'"{stem}"' in code


def _package(app):
    return Path(apps.get_app_config(app).path).relative_to(ROOT)


@pytest.mark.parametrize(("app", "path"), FILES, ids=lambda value: getattr(value, "stem", value))
def test_a_file_for_one_database_has_its_twin_or_is_named_as_alone(app, path):
    name, vendors = _name(app, path)
    if len(vendors) == 1:
        other = next(vendor for vendor in DIALECTS if vendor not in vendors)
        assert (_folder(app) / f"{name}.{other}.sql").exists() or name in ALONE


# PostgreSQL alone makes people of staged rows; on SQLite they go through Python.
ALONE = {"consents/first_words", "imports/create_customers", "imports/mark_unchanged"}


@pytest.mark.parametrize(("app", "name", "vendor"), STATEMENTS)
def test_tables_and_columns_are_those_of_the_models(app, name, vendor):
    faults = list(_faults(_whole(app, name, vendor), DIALECTS[vendor]))
    assert faults == []


def test_a_wrong_name_is_found():
    sql = "WITH a AS (SELECT m.id, m.nosuch FROM campaigns_message m) SELECT id, other FROM a"
    assert sorted(_faults(sql, "postgres")) == sorted(["other", "campaigns_message.nosuch"])
    assert list(_faults("SELECT id FROM campaigns_nosuch", "sqlite")) == ["campaigns_nosuch", "id"]
    wrong = "UPDATE campaigns_message SET nosuch = 1 WHERE id = :id"
    assert list(_faults(wrong, "postgres")) == ["nosuch"]


def _faults(sql, dialect):
    """Yield tables and columns that neither a model nor the statement itself has."""
    columns_of = {
        model._meta.db_table: {field.column for field in model._meta.local_concrete_fields}
        for model in apps.get_models(include_auto_created=True)
    }
    (tree,) = sqlglot.parse(sql, dialect=dialect)
    own = {each.alias for kind in MADE_TABLES for each in tree.find_all(kind)}
    tables = {
        table.alias_or_name: table.name
        for table in tree.find_all(exp.Table)
        if table.name and table.name not in own
    }
    yield from sorted(set(tables.values()) - columns_of.keys())
    known = _made_names(tree) | {
        name for table in tables.values() for name in columns_of.get(table, ())
    }
    for column in tree.find_all(exp.Column):
        table = tables.get(column.table, "") if column.table not in own else ""
        if column.name not in columns_of.get(table, known):
            yield f"{table}.{column.name}".lstrip(".")
    for target in tree.find_all(exp.Schema):
        table = target.this.name
        yield from (
            f"{table}.{each.name}"
            for each in target.expressions
            if each.name not in columns_of[table]
        )


MADE_TABLES = (exp.CTE, exp.Subquery, exp.Lateral)


def _made_names(tree):
    """Return the names that a statement gives to tables, columns and values."""
    aliases = [*tree.find_all(exp.Alias), *tree.find_all(exp.TableAlias), *tree.find_all(exp.Table)]
    columns = [each for alias in tree.find_all(exp.TableAlias) for each in alias.columns]
    return {"", "*"} | {each.alias_or_name for each in aliases} | {each.name for each in columns}
