import json

import pytest

from customers.domain.fields.catalogue import FieldType, RuleUse
from customers.models import AttributeDefinition, Customer, EventType, Product, Score, Segment
from customers.selectors.segments.catalogue import catalogue_for_builder, load_catalogue

pytestmark = pytest.mark.django_db


def options(built):
    return {field["name"]: field for group in built["fields"] for field in group["options"]}


@pytest.fixture
def defined(now):
    AttributeDefinition.objects.create(
        name="income", value_type="number", label_zh="月收入", label_en="income", unit="元"
    )
    AttributeDefinition.objects.create(name="faith", value_type="text", is_protected=True)
    EventType.objects.create(name="branch_visited")
    Product.objects.create(code="cash", name_zh="现金贷", name_en="Cash")
    Segment.objects.create(slug="vip", name="贵宾", created_at=now)
    customer = Customer.objects.create(created_at=now, updated_at=now)
    for model, version in (("churn", "1"), ("churn", "2"), ("propensity", "1")):
        Score.objects.create(
            customer=customer,
            model_name=model,
            version=version,
            value=1,
            scored_at=now,
            is_latest=version == "1",
        )


def test_what_the_company_defined_is_in_the_catalogue(defined):
    catalogue = load_catalogue()
    income = catalogue.fields["attribute.income"]
    assert (income.type, income.column, income.label.zh) == (FieldType.DECIMAL, "number", "月收入")
    assert set(catalogue.scores) == {"churn", "propensity"}
    assert catalogue.events["branch_visited"].type_id == EventType.objects.get().pk
    assert catalogue.events["app_login"].type_id is None
    assert catalogue.segments["vip"].zh == "贵宾"


def test_the_builder_gets_names_labels_operators_and_values_in_its_language(defined):
    built = catalogue_for_builder(language="zh-hans")
    fields = options(json.loads(json.dumps(built)))
    assert fields["age"]["label"] == "年龄"
    assert fields["age"]["unit"] == "岁"
    assert {"name": "between", "label": "介于"} in fields["age"]["operators"]
    assert fields["gender"]["values"][0] == {"name": "male", "label": "男"}
    assert fields["loan.product"]["values"] == [{"name": "cash", "label": "现金贷"}]
    assert fields["consent.sms.marketing"]["label"] == "短信·营销授权"
    assert fields["segment"]["values"] == [{"name": "vip", "label": "贵宾"}]
    assert {"name": "app_login", "label": "登录App"} in built["event"]["events"]
    english = options(catalogue_for_builder(language="en"))
    assert english["age"]["label"] == "age"
    assert english["loan.product"]["values"] == [{"name": "cash", "label": "Cash"}]
    assert english["birth_date"]["operators"][2] == {"name": "<", "label": "is before"}


def test_protected_fields_are_marked_and_hidden_where_they_may_not_be_used(defined):
    fields = options(catalogue_for_builder(language="en"))
    assert fields["gender"]["isProtected"]
    assert fields["attribute.faith"]["isProtected"]
    assert not fields["city"]["isProtected"]
    offered = options(catalogue_for_builder(language="en", use=RuleUse.CREDIT_OFFER))
    assert {"gender", "age", "attribute.faith"} & set(offered) == set()
    assert {"city", "attribute.income"} <= set(offered)


@pytest.mark.parametrize("language", ["zh-hans", "en"])
def test_every_field_operator_and_value_has_a_label(defined, language):
    built = catalogue_for_builder(language=language)
    shown = [*options(built).values(), *built["event"]["properties"]]
    assert len(shown) > 40
    for field in shown:
        assert field["label"]
        assert field["operators"]
        for item in [*field["operators"], *field.get("values", [])]:
            assert item["label"]
    for item in [*built["event"]["events"], *built["event"]["aggregates"]]:
        assert item["label"]


def test_the_number_of_queries_does_not_grow_with_the_scores(defined, django_assert_num_queries):
    with django_assert_num_queries(4 + 3):  # definitions, products, events, segments; two models
        load_catalogue()
