"""From an unknown file to a saved mapping and an import, and what can be done with mappings."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from django.contrib.auth.models import Group, User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from customers.models import (
    AttributeDefinition,
    AttributeValue,
    Customer,
    ImportBatch,
    ImportFilePart,
    SavedMapping,
)
from customers.selectors.imports.mappings import mapping_names, shipped_names
from customers.services.sources import mappings
from loancrm.kernel import roles
from loancrm.kernel.access import PermissionRefused, system_actor, user_actor
from loancrm.kernel.models import AuditEntry

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.sql]
NOW = datetime(2026, 4, 1, tzinfo=UTC)
LINES = [
    "客户号,姓名,手机,城市,等级,月收入,短信同意,备注",
    "1,李平,13800138001,西安市,金卡,1.2万,是,周末联系",
    "2,王小明,13800138002,北京市,银卡,8500,否,",
    "3,欧阳春,139,上海市,铜卡,9000,是,",
]
CONTENT = ("\n".join(LINES) + "\n").encode("gb18030")


@pytest.fixture
def client() -> Client:
    client = Client()
    client.force_login(User.objects.create_superuser("boss"))
    return client


def begin(client: Client, content: bytes = CONTENT) -> ImportBatch:
    file = SimpleUploadedFile("供应商.csv", content)
    answer = client.post(reverse("admin:customers_importbatch_begin"), {"file": file})
    batch = ImportBatch.objects.latest("id")
    assert answer.status_code == 302, answer.context["form"].errors
    assert answer["Location"] == address(batch)
    return batch


def address(batch: ImportBatch) -> str:
    return reverse("admin:customers_importbatch_map", args=[batch.pk])


def sent(client: Client, batch: ImportBatch, do: str, **changes: Any) -> Any:
    """Send the page as the browser would, with some entries changed."""
    page = client.get(address(batch))
    data = {"name": "supplier", "mode": "upsert", "do": do}
    for column in page.context["columns"]:
        form = column["form"]
        for name, bound in form.fields.items():
            value = form.get_initial_for_field(bound, name)
            if value not in (None, False):
                data[f"{form.prefix}-{name}"] = value
    by_name = {column["name"]: column["form"].prefix for column in page.context["columns"]}
    for key, value in changes.items():
        column, _, entry = key.partition("__")
        data[f"{by_name[column]}-{entry}" if entry else key] = value
    return client.post(address(batch), data)


ALL = {
    "等级__target": "customer.education",
    "等级__dictionary": "金卡=gold\n银卡=silver",
    "等级__keeps_others": "",
    "城市__transform": "region_short",
    "月收入__target": "attribute.",
    "月收入__attribute": "monthly_income",
    "备注__target": "ignore",
}


def test_a1_columns_are_recognised_and_personal_data_is_masked(client: Client) -> None:
    batch = begin(client)
    assert (batch.state, batch.encoding) == ("draft", "gb18030")
    page = client.get(address(batch))
    text = page.content.decode()
    targets = {c["name"]: c["form"].initial["target"] for c in page.context["columns"]}
    assert targets == {
        "客户号": "id_column",
        "姓名": "customer.name",
        "手机": "contact.phone",
        "城市": "customer.city",
        "等级": "",
        "月收入": "",
        "短信同意": "consent.sms.marketing",
        "备注": "",
    }
    assert "13800138001" not in text
    assert "王小明" not in text
    assert "王**" in text
    assert not any(
        b"13800138001" in bytes(part.content_sealed) for part in ImportFilePart.objects.all()
    )


def test_a1_the_first_rows_are_tried_before_anything_is_written(client: Client) -> None:
    batch = begin(client)
    page = sent(client, batch, "check", **ALL)
    assert page.status_code == 200
    tried = page.context["tried"]
    assert (len(tried.rows), tried.clean, tried.rejected) == (3, 2, 0)
    assert tried.by_reason == {"phone_invalid": 1, "category_unknown": 1}
    assert not Customer.objects.exists()
    assert not SavedMapping.objects.exists()
    # What was chosen is still there when the page is opened again.
    again = client.get(address(batch))
    assert {c["name"]: c["form"].initial["target"] for c in again.context["columns"]}[
        "备注"
    ] == "ignore"


def test_a1_map_preview_import(client: Client) -> None:
    batch = begin(client)
    answer = sent(client, batch, "start", **ALL)
    assert answer.status_code == 302
    batch.refresh_from_db()
    assert (batch.state, batch.row_count, batch.created_count) == ("done", 3, 3)
    assert not batch.file_parts.exists()
    customer = Customer.objects.get(external_id="1")
    assert (customer.city, customer.education, customer.source) == ("西安", "gold", "supplier")
    assert AttributeValue.objects.get(customer=customer).number == 12000
    saved = SavedMapping.objects.get()
    assert (saved.name, saved.version, saved.author_label) == ("supplier", 1, "boss")
    assert saved.definition["ignore"] == ["备注"]
    assert AuditEntry.objects.filter(action="customers.mapping_saved").count() == 1
    # The saved mapping is used like those that ship with the product.
    form = {
        "file": SimpleUploadedFile("again.csv", CONTENT),
        "mapping": "supplier",
        "mode": "upsert",
    }
    client.post(reverse("admin:customers_importbatch_add"), form)
    assert ImportBatch.objects.latest("id").unchanged_count == 3


def test_a1_a_known_file_is_offered_its_mapping_and_a_change_makes_a_version(
    client: Client,
) -> None:
    sent(client, begin(client), "start", **ALL)
    batch = begin(client)
    page = client.get(address(batch))
    assert page.context["fitting"] == ["supplier"]
    client.post(address(batch), {"do": "use", "mapping": "supplier"})
    assert sent(client, batch, "save", source="supplier").status_code == 200
    assert SavedMapping.objects.count() == 1
    sent(client, batch, "save", source="supplier", 城市__blank="erase", note="full records")
    assert list(SavedMapping.objects.order_by("version").values_list("version", "is_current")) == [
        (1, False),
        (2, True),
    ]
    saved = SavedMapping.objects.get(version=2)
    shown = client.get(reverse("admin:customers_savedmapping_change", args=[saved.pk]))
    assert [change.path for change in shown.context["changes"]] == ["columns.城市.blank"]
    assert "full records" in shown.content.decode()


def test_mistakes_are_told_beside_their_column(client: Client) -> None:
    batch = begin(client)
    page = sent(client, batch, "start", 备注__target="customer.name")
    assert page.context["problem"].startswith("“备注”列，导入到哪个字段：")
    faulty = [c["name"] for c in page.context["columns"] if c["form"].errors]
    assert faulty == ["备注"]
    page = sent(client, batch, "start", 月收入__target="attribute.", 月收入__attribute="")
    assert [c["name"] for c in page.context["columns"] if c["form"].errors] == ["月收入"]
    page = sent(client, batch, "start", **ALL, name="campaign_bank")
    assert page.status_code == 200
    assert "campaign_bank" in str(list(page.context["messages"])[-1])
    batch.refresh_from_db()
    assert batch.state == "draft"


def test_a_mapping_is_exported_copied_brought_back_and_imported(client: Client) -> None:
    sent(client, begin(client), "start", **ALL)
    first = SavedMapping.objects.get()
    text = client.get(reverse("admin:customers_savedmapping_export", args=["supplier"])).content
    definition = json.loads(text)
    assert definition == first.definition
    changed = {**definition, "ignore": []}
    file = SimpleUploadedFile("m.json", json.dumps(changed).encode())
    given = {"file": file, "note": "from test", "is_replacing": "on"}
    client.post(reverse("admin:customers_savedmapping_add"), given)
    assert SavedMapping.objects.get(is_current=True).version == 2
    client.post(reverse("admin:customers_savedmapping_act", args=[first.pk, "back"]))
    current = SavedMapping.objects.get(is_current=True)
    assert (current.version, current.definition) == (3, definition)
    copy = reverse("admin:customers_savedmapping_act", args=[first.pk, "copy"])
    client.post(copy, {"new_name": "supplier_south"})
    made = SavedMapping.objects.get(name="supplier_south")
    assert (made.version, made.source) == (1, "supplier")
    client.post(copy, {"new_name": "supplier_south"})
    assert SavedMapping.objects.filter(name="supplier_south").count() == 1
    bad = SimpleUploadedFile("m.json", b"{nonsense")
    page = client.post(reverse("admin:customers_savedmapping_add"), {"file": bad})
    assert "JSON" in str(list(page.context["messages"])[-1])


def test_a_file_that_nobody_wants_is_discarded(client: Client) -> None:
    batch = begin(client)
    client.post(address(batch), {"do": "discard"})
    assert not ImportBatch.objects.exists()
    assert not ImportFilePart.objects.exists()
    assert AuditEntry.objects.filter(action="customers.import_draft_discarded").exists()


def test_a_file_that_is_no_table_is_refused_and_not_kept(client: Client) -> None:
    file = SimpleUploadedFile("x.csv", b"a,b\n\x00\x01")
    page = client.post(reverse("admin:customers_importbatch_begin"), {"file": file})
    assert page.status_code == 200
    assert not ImportBatch.objects.exists()
    assert not AttributeDefinition.objects.exists()


def test_who_may_not_import_sees_mappings_but_builds_none(client: Client) -> None:
    batch = begin(client)
    sent(client, begin(client), "start", **ALL)
    user = User.objects.create_user("analyst", is_staff=True)
    roles.ensure_roles()
    user.groups.add(Group.objects.get(name="analyst"))
    other = Client()
    other.force_login(user)
    saved = SavedMapping.objects.get()
    assert other.get(address(batch)).status_code == 403
    assert other.get(reverse("admin:customers_importbatch_begin")).status_code == 403
    change = reverse("admin:customers_savedmapping_change", args=[saved.pk])
    assert other.get(change).status_code == 200
    assert other.get(reverse("admin:customers_savedmapping_changelist")).status_code == 200
    act = reverse("admin:customers_savedmapping_act", args=[saved.pk, "copy"])
    assert other.post(act, {"new_name": "x"}).status_code == 403


def test_a1_a_column_feeds_several_fields(client: Client) -> None:
    rows = ["客户号,姓名,手机,行政区划", "1,李平,13800138001,330106", "2,王小明,13800138002,990000"]
    batch = begin(client, ("\n".join(rows) + "\n").encode())
    region = {"行政区划__target": "customer.province", "行政区划__transform": "region_province"}
    page = client.get(address(batch))
    number = next(c["number"] for c in page.context["columns"] if c["name"] == "行政区划")
    assert "再加一个字段" in client.get(address(batch), headers={"accept-language": "zh-hans"}).text

    more = sent(client, batch, f"also-{number}", **region)

    assert [c["name"] for c in more.context["columns"]][-2:] == ["行政区划", "行政区划"]
    assert [c["is_first"] for c in more.context["columns"]][-2:] == [True, False]
    # The second entry of the column is the one that the helper writes to.
    second = {"行政区划__target": "customer.city", "行政区划__transform": "region_city"}
    sent(client, batch, "start", **second)
    batch.refresh_from_db()
    assert (batch.state, batch.by_reason) == ("done", {"category_unknown": 2})
    known, unknown = Customer.objects.order_by("external_id")
    assert (known.province, known.city) == ("浙江", "杭州")
    assert (unknown.province, unknown.city) == ("", "")
    targets = SavedMapping.objects.get().definition["columns"]["行政区划"]
    assert [target["to"] for target in targets] == ["customer.province", "customer.city"]


def test_a1_an_entry_that_nobody_decided_is_left_out(client: Client) -> None:
    batch = begin(client)
    sent(client, batch, "also-2", **ALL)
    sent(client, batch, "also-99", **ALL)
    sent(client, batch, "start", **ALL)
    definition = SavedMapping.objects.get().definition
    assert definition["columns"]["手机"] == "contact.phone"


def _act(client: Client, saved: SavedMapping, name: str) -> Any:
    address = reverse("admin:customers_savedmapping_act", args=[saved.pk, name])
    return client.post(address, follow=True, headers={"accept-language": "en"})


def test_a1_an_unused_mapping_is_deleted_and_a_used_one_archived_and_taken_out(
    client: Client,
) -> None:
    batch = begin(client)
    sent(client, batch, "save", **ALL)
    saved = SavedMapping.objects.get()
    gone = _act(client, saved, "remove")
    assert "The mapping was deleted." in gone.text
    assert not SavedMapping.objects.exists()

    sent(client, batch, "start", **ALL, name="used")
    sent(client, begin(client), "save", **ALL, name="used", source="used", note="second")
    versions = SavedMapping.objects.filter(name="used").order_by("version")
    saved = versions.last()
    page = client.get(
        reverse("admin:customers_savedmapping_change", args=[saved.pk]),
        headers={"accept-language": "en"},
    )
    assert "1 import has used this mapping" in page.text
    kept = _act(client, saved, "remove")
    assert "imports have used it" in kept.text
    assert versions.exclude(archived_at=None).count() == versions.count() > 0
    assert mapping_names() == shipped_names()
    with pytest.raises(mappings.MappingArchived):
        mappings.load_mapping("used")
    refused = sent(client, begin(client), "save", **ALL, name="used")
    assert "已归档" in str(list(refused.context["messages"])[-1])

    _act(client, saved, "take-out")
    assert mapping_names() == [*shipped_names(), "used"]
    assert mappings.load_mapping("used").name == "used"
    actions = AuditEntry.objects.filter(action__startswith="customers.mapping_").order_by("pk")
    assert [entry.action.rpartition("mapping_")[2] for entry in actions][-2:] == [
        *("archived", "taken_out")
    ]


def test_who_may_not_import_removes_no_mapping(client: Client) -> None:
    sent(client, begin(client), "save", **ALL)
    reader = user_actor(User.objects.create_user("reader"))
    for service in (mappings.remove_mapping, mappings.take_out):
        with pytest.raises(PermissionRefused):
            service(actor=reader, name="supplier", now=NOW)
    with pytest.raises(mappings.MappingRefused):
        mappings.remove_mapping(actor=system_actor("test"), name="nothing", now=NOW)
    assert SavedMapping.objects.filter(archived_at=None).count() == 1


def test_u7_the_mapping_page_checks_before_it_writes(client: Client) -> None:
    batch = begin(client)
    assert client.get(address(batch)).context["form"]["is_dry_run"].value() is True
    answer = sent(client, batch, "start", is_dry_run="on", **ALL)
    assert answer.status_code == 302
    batch.refresh_from_db()
    assert (batch.state, batch.is_dry_run, Customer.objects.count()) == ("done", True, 0)
    now = reverse("admin:customers_importbatch_act", args=[batch.pk, "import"])
    assert now in client.get(answer["Location"]).content.decode()
    client.post(now)
    assert Customer.objects.count() == 3


def test_u8_a_column_with_values_must_be_decided_on_before_an_import(client: Client) -> None:
    batch = begin(client)
    undecided = {name: value for name, value in ALL.items() if not name.startswith("月收入")}
    page = sent(client, batch, "start", **undecided)
    assert page.status_code == 200
    assert "月收入" in page.context["problem"]
    batch.refresh_from_db()
    assert batch.state == "draft"
    assert not SavedMapping.objects.exists()
    sent(client, batch, "start", **undecided, 月收入__target="ignore")
    batch.refresh_from_db()
    assert (batch.state, batch.mapping["left_out"]) == ("done", [])
