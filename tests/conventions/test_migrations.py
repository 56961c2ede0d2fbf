"""Migrations are linear, named, and keep schema and data apart."""

import ast

import pytest
from django.apps import apps
from django.db.migrations.loader import MigrationLoader

from tests.conventions.source import ROOT

LABELS = ("kernel", "customers", "campaigns", "analytics")
PATHS = {
    "kernel": ROOT / "loancrm/kernel/migrations",
    **{label: ROOT / label / "migrations" for label in LABELS[1:]},
}


@pytest.mark.parametrize("label", LABELS)
def test_migrations_are_one_line_and_named(label, settings):
    settings.MIGRATION_MODULES = {}
    loader = MigrationLoader(None)
    names = [name for app, name in loader.disk_migrations if app == label]

    assert len(loader.graph.leaf_nodes(label)) == 1
    assert not [name for name in names if "_auto_" in name or name.endswith("_auto")]
    assert apps.get_app_config(label)


@pytest.mark.parametrize("label", LABELS)
def test_no_migration_changes_schema_and_data_together(label):
    for path in sorted(PATHS[label].glob("0*.py")):
        calls = {
            node.func.attr
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)
        }
        moves_data = calls & {"RunPython", "RunSQL"}
        changes_schema = calls & {"CreateModel", "AddField", "AlterField", "RemoveField"}
        assert not (moves_data and changes_schema), path.name
