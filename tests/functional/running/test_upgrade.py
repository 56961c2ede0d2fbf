"""Every version's schema, with rows in it, is migrated by the code as it is."""

import json
import os

import pytest
from django.db import connection

from tests import schema_fixture

pytestmark = [pytest.mark.slow, pytest.mark.sql, pytest.mark.timeout(300)]
VERSIONS = schema_fixture.released()


def written(version):
    path = schema_fixture.FOLDER / f"{version}.{connection.vendor}.json"
    return json.loads(path.read_text(encoding="utf-8"))


@pytest.mark.parametrize("version", VERSIONS)
def test_h3_a_database_of_each_version_is_migrated_with_its_rows(version):
    kind = connection.vendor
    with schema_fixture.empty_database(kind, os.environ.get("DATABASE_URL", "")) as variables:
        schema_fixture.load(kind, version, variables)
        found = schema_fixture.upgrade(variables)
    assert found["differences"] == []
    assert found["findings"] == []
    assert found["is_intact"]
    assert found == written(version)["holds"]
    assert found["names"] == ["客户1", "客户2", "客户3", "客户4", "客户5"]


@pytest.mark.parametrize("version", [name for name, is_out in VERSIONS.items() if not is_out])
def test_h3_the_fixture_of_the_coming_version_is_of_these_migrations(version):
    assert written(version)["migrations"] == schema_fixture.digest(), (
        "migrations changed since the fixture was made: run `make schema-fixture`, commit the files"
    )


def test_there_is_a_fixture_of_every_version_and_at_most_one_is_not_out():
    kept = {path.name for path in schema_fixture.FOLDER.iterdir()}
    ends = [f"{kind}.{end}" for kind in schema_fixture.KINDS for end in ("sql.gz", "json")]
    assert kept == {f"{version}.{end}" for version in VERSIONS for end in ends}
    assert sum(not is_out for is_out in VERSIONS.values()) <= 1
