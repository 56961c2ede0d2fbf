"""The campaign that the tests of this package build."""

import pytest

from tests.factories.links import make_linked
from tests.integration.analytics.selectors.scene import Scene


@pytest.fixture
def scene(db):
    """A campaign by SMS with two variants and a 20 % holdout, and 60 people."""
    return Scene(make_linked(f"c{number}" for number in range(60)))
