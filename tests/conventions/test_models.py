"""House rules about tables."""

import pytest
from django.apps import apps
from django.db import models

APPS = ("kernel", "customers", "campaigns", "analytics")
MODELS = [model for label in APPS for model in apps.get_app_config(label).get_models()]
# Rows of the machinery that no screen shows.
UNSEEN = {
    "AuditHead": "end of the chain",
    "Lease": "who leads",
    "KeyRecord": "proof of a key",
    "KeyCheck": "likewise",
}
PERSONAL_FIELDS = ("name_sealed", "value_sealed", "national_id_sealed")


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__name__)
def test_model_says_what_it_is_without_personal_data(model):
    assert "__str__" in vars(model)
    code = model.__str__.__code__
    names = set(code.co_names)
    assert not names & set(PERSONAL_FIELDS)


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__name__)
def test_model_has_names_for_people_and_no_hidden_order(model):
    meta = model._meta
    if model.__name__ in UNSEEN:
        return
    assert meta.original_attrs.get("verbose_name"), "a table needs a translatable name"
    assert meta.original_attrs.get("verbose_name_plural")
    assert not meta.ordering, "an order belongs into the query that needs it"


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__name__)
def test_constraints_and_indexes_are_named_and_no_field_hides_uniqueness_in_code(model):
    for constraint in model._meta.constraints:
        assert constraint.name
    for index in model._meta.indexes:
        assert index.name


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__name__)
def test_foreign_keys_point_down_and_leave_no_trace_in_the_app_below(model):
    own = model._meta.app_label
    rank = {label: position for position, label in enumerate(APPS)}
    for field in model._meta.get_fields():
        if not isinstance(field, models.ForeignKey):
            continue
        target = field.related_model._meta.app_label
        if target == own or target not in rank:
            continue
        assert rank[target] < rank[own], f"{model.__name__}.{field.name}"
        assert field.remote_field.related_name == "+", f"{model.__name__}.{field.name}"


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__name__)
def test_sealed_columns_are_bytes_with_the_constant_that_binds_them(model):
    sealed = [field for field in model._meta.fields if field.name.endswith("_sealed")]
    for field in sealed:
        assert isinstance(field, models.BinaryField), field.name
    if model.__name__ in UNSEEN:
        return
    constants = [name for name in vars(model) if name.endswith("_COLUMN")]
    assert len(constants) >= len(sealed)
