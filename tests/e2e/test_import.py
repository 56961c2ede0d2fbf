"""Importing in a browser: map an unknown GB18030 file, repair a row, undo the import."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from playwright.sync_api import Page, expect

from customers.models import Customer, ImportBatch, SavedMapping
from tests.e2e.conftest import Screen

LINES = [
    "客户号,姓名,手机,城市,学历,月收入,短信同意,备注",
    "1,李平,13800138001,西安市,本科,1.2万,是,周末联系",
    "2,王小明,13800138002,北京市,硕士,8500,否,",
    "3,欧阳春,139,上海市,大专,9000,是,",
    "4,赵敏,13800138004,成都市,本科,,是,",
    ",钱多多,138,杭州市,本科,,是,",
]
WORDS = {
    "zh-hans": {
        "new": "映射新文件",
        "go": "继续",
        "try": "试读前几行",
        "tried": "试读 5 行：3 行没有问题，1 行被拒绝",
        "start": "保存并继续",
        "now": "立即导入",
        "checked": "仅检查：未更改任何客户",
        "done": "完成",
        "repair": "修复并重新运行",
        "open": "打开并修正",
        "again": "保存并重新运行",
        "empty": "隔离区为空",
        "undo": "撤销导入",
        "reason": "原因",
        "undone": "已撤销",
        "changed": "与版本 1 相比的变化",
        "version": "保存映射",
    },
    "en": {
        "new": "Map a new file",
        "go": "Go on",
        "try": "Try the first rows",
        "tried": "5 rows tried: 3 without a finding, 1 rejected",
        "start": "Save and go on",
        "now": "Import now",
        "checked": "Only a check: no customer was changed",
        "done": "Done",
        "repair": "Repair and run again",
        "open": "Open and correct",
        "again": "Save and run again",
        "empty": "Quarantine is empty",
        "undo": "Undo import",
        "reason": "Reason",
        "undone": "Undone",
        "changed": "What changed since version 1",
        "version": "Save the mapping",
    },
}


@pytest.fixture
def supplier_file(tmp_path: Path) -> Path:
    path = tmp_path / "supplier.csv"
    path.write_bytes(("\n".join(LINES) + "\n").encode("gb18030"))
    return path


def choose(page: Page, column: str, target: str) -> None:
    page.get_by_label(column, exact=True).select_option(target)


def to_builder(screen: Screen, path: Path, words: dict[str, str]) -> Page:
    page = screen.go("/admin/customers/importbatch/map/")
    page.set_input_files("input[type=file]", str(path))
    page.get_by_role("button", name=words["go"]).click()
    page.wait_for_url(re.compile(r"/\d+/map/$"))
    return page


def import_checked(screen: Screen, page: Page, words: dict[str, str]) -> None:
    expect(page.get_by_text(words["checked"])).to_be_visible()
    assert not Customer.objects.exists()
    screen.shoot("import_checked")
    page.get_by_role("link", name=words["now"]).click()
    page.get_by_role("button", name=words["now"]).click()
    expect(page.get_by_role("link", name=words["undo"])).to_be_visible()


def repair(screen: Screen, page: Page, words: dict[str, str]) -> None:
    page.get_by_role("link", name=words["repair"]).click()
    screen.shoot("import_quarantine")
    page.get_by_role("link", name=words["open"]).click()
    expect(page.get_by_label("手机")).to_have_value("138")
    screen.shoot("import_repair")
    page.get_by_label("手机").fill("13800138005")
    page.get_by_role("button", name=words["again"]).click()
    expect(page.get_by_text(words["empty"])).to_be_visible()


def undo(screen: Screen, batch: ImportBatch, words: dict[str, str]) -> None:
    page = screen.go(f"/admin/customers/importbatch/{batch.pk}/change/")
    page.get_by_role("link", name=words["undo"]).click()
    page.get_by_label(words["reason"]).fill("test")
    page.get_by_role("button", name=words["undo"]).click()
    expect(page.locator(".lcx-badge", has_text=words["undone"]).first).to_be_visible()
    screen.shoot("import_undone")


@pytest.mark.parametrize("language", ["zh-hans", "en"])
def test_a1_a2_a7_a_file_is_mapped_imported_repaired_and_undone(
    open_screen: Callable[..., Screen], supplier_file: Path, language: str
) -> None:
    words = WORDS[language]
    steward = User.objects.create_superuser("steward")
    screen = open_screen(steward, language)
    page = screen.go("/admin/customers/importbatch/")
    page.get_by_role("link", name=words["new"]).click()
    page.wait_for_url("**/importbatch/map/")
    screen.shoot("import_map_begin")
    page = to_builder(screen, supplier_file, words)
    expect(page.get_by_text("GB18030")).to_be_visible()
    expect(page.get_by_text("13800138001")).to_have_count(0)
    assert page.get_by_label("手机", exact=True).input_value() == "contact.phone"

    choose(page, "备注", "ignore")
    choose(page, "月收入", "attribute.")
    row = page.locator("tr", has=page.get_by_label("月收入", exact=True))
    row.locator("summary").click()
    row.locator("input[name$=-attribute]").fill("monthly_income")
    screen.shoot("import_builder")
    page.get_by_role("button", name=words["try"]).click()
    expect(page.get_by_text(words["tried"])).to_be_visible()
    screen.shoot("import_builder_tried")

    page.get_by_role("button", name=words["start"]).click()
    page.wait_for_url("**/change/")
    expect(page.locator(".lcx-badge", has_text=words["done"])).to_be_visible()
    import_checked(screen, page, words)
    screen.shoot("import_done")
    batch = ImportBatch.objects.latest("pk")
    assert (batch.encoding, batch.created_count, batch.rejected_count) == ("gb18030", 4, 1)
    assert Customer.objects.get(external_id="1").city == "西安市"

    repair(screen, page, words)
    assert Customer.objects.count() == 5
    undo(screen, batch, words)
    assert not Customer.objects.exists()


@pytest.mark.parametrize("language", ["zh-hans", "en"])
def test_a1_a_mapping_shows_its_versions_and_what_changed(
    open_screen: Callable[..., Screen], supplier_file: Path, language: str
) -> None:
    words = WORDS[language]
    steward = User.objects.create_superuser("steward")
    screen = open_screen(steward, language)
    page = to_builder(screen, supplier_file, words)
    with page.expect_navigation():
        page.get_by_role("button", name=words["version"]).click()
    choose(page, "备注", "ignore")
    with page.expect_navigation():
        page.get_by_role("button", name=words["version"]).click()
    saved = SavedMapping.objects.get(is_current=True)
    assert (saved.name, saved.version) == ("supplier", 2)
    page = screen.go(f"/admin/customers/savedmapping/{saved.pk}/change/")
    expect(page.get_by_text(words["changed"])).to_be_visible()
    expect(page.get_by_text('["备注"]')).to_be_visible()
    screen.shoot("mapping_versions")
    screen.go("/admin/customers/savedmapping/")
    screen.shoot("mapping_list")
