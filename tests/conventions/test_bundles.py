"""The committed browser bundles are those that the sources in frontend/ build."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest
from django.conf import settings
from django.utils import translation

from customers.admin.segments.builder_texts import builder_texts

ROOT = Path(settings.BASE_DIR)
BUILT = ROOT / "loancrm" / "static" / "loancrm"
NAMES = (
    "rule_builder.js",
    "rule_builder.css",
    "charts.js",
    "campaign.js",
    "composer.js",
    "focus.js",
    "awaited.js",
    "admin.css",
)


def test_a_rebuild_changes_no_committed_bundle(tmp_path: Path) -> None:
    node = shutil.which("node")
    if node is None or not (ROOT / "frontend" / "node_modules").is_dir():
        pytest.skip("node or frontend/node_modules is missing; run `make frontend` first")
    command = [node, "build.mjs", str(tmp_path)]
    subprocess.run(command, cwd=ROOT / "frontend", check=True, capture_output=True, timeout=120)
    for name in NAMES:
        assert (tmp_path / name).read_bytes() == (BUILT / name).read_bytes(), name


def test_no_module_of_the_browser_code_imports_itself_by_a_detour() -> None:
    folder = ROOT / "frontend" / "src"
    imports: dict[Path, set[Path]] = {}
    for path in [*folder.rglob("*.ts"), *folder.rglob("*.tsx")]:
        named = re.findall(r'from "(\.[^"]+)"', path.read_text(encoding="utf-8"))
        bases = [(path.parent / name).resolve() for name in named]
        imports[path.resolve()] = {
            found
            for base in bases
            for found in (base.with_name(base.name + ending) for ending in (".ts", ".tsx"))
            if found.exists()
        }
    assert any(imports.values())
    done: set[Path] = set()

    def walk(path: Path, way: tuple[Path, ...]) -> None:
        assert path not in way, " → ".join(step.name for step in (*way, path))
        if path not in done:
            for target in imports[path]:
                walk(target, (*way, path))
            done.add(path)

    for path in imports:
        walk(path, ())


def test_the_server_sends_every_text_that_the_rule_builder_asks_for() -> None:
    source = (ROOT / "frontend" / "src" / "rule_builder" / "texts.ts").read_text(encoding="utf-8")
    assert re.findall(r'\| "(\w+)"', source) == list(builder_texts())


def test_the_texts_of_the_rule_builder_are_in_the_catalogue() -> None:
    with translation.override("en"):
        english = builder_texts()
    with translation.override("zh-hans"):
        chinese = builder_texts()
    assert [name for name, text in chinese.items() if text == english[name]] == []


def test_the_browser_code_has_no_second_catalogue() -> None:
    sources = (ROOT / "frontend" / "src").rglob("*.ts*")
    chinese = re.compile("[\u4e00-\u9fff]")
    found = [path.name for path in sources if chinese.search(path.read_text(encoding="utf-8"))]
    assert found == []


def test_nothing_is_fetched_from_another_host_at_run_time() -> None:
    scripts = [BUILT / name for name in NAMES]
    found = [
        (path.name, mark)
        for path in scripts
        for mark in ("https://cdn", "unpkg.com", "jsdelivr", "googleapis")
        if mark in path.read_text(encoding="utf-8")
    ]
    assert found == []


def test_vendored_code_comes_with_its_licences() -> None:
    vendor = BUILT / "vendor"
    assert "Apache License" in (vendor / "echarts" / "LICENSE").read_text(encoding="utf-8")
    assert "Apache ECharts" in (vendor / "echarts" / "NOTICE").read_text(encoding="utf-8")
    notices = (vendor / "LICENSES.txt").read_text(encoding="utf-8")
    for package in ("react ", "react-dom ", "react-querybuilder "):
        assert f"\n{package}" in f"\n{notices}"
