"""What the documents say must be so."""

import re
import tomllib

from django.core.management import get_commands

from tests.conventions.source import ROOT

_LINK = re.compile(r"\]\((?!https?://|#|mailto:)([^)#]+)")
_COMMAND = re.compile(r"manage\.py ([a-z_]+)")
_TARGET = re.compile(r"`make ([a-z-]+)")
_SHOWN_BY = re.compile(r"`([\w/]*test_\w+\.py)(?: -k (?:\"([^\"`]+)\"|(\w+)))?`")
_SENDING = "integration/campaigns/services/sending"
_REQUIREMENT = re.compile(r"^([A-Za-z0-9][A-Za-z0-9._-]*)")


def _documents():
    return [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")]


def test_links_between_documents_lead_somewhere():
    found = [
        f"{path.name}: {target}"
        for path in _documents()
        for target in _LINK.findall(path.read_text(encoding="utf-8"))
        if not (path.parent / target).exists()
    ]

    assert found == []


def test_commands_in_the_documents_exist():
    known = set(get_commands())
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))

    for path in _documents():
        text = path.read_text(encoding="utf-8")
        assert set(_COMMAND.findall(text)) - {"APP"} <= known, path.name
        assert set(_TARGET.findall(text)) <= targets, path.name


def test_every_command_of_the_guarantees_runs_tests():
    """A word of `-k` that no test of the file bears would leave its row without proof."""
    text = (ROOT / "docs/delivery_guarantees.md").read_text(encoding="utf-8")
    named = _SHOWN_BY.findall(text)
    assert len(named) > 40
    missing = []
    for name, several, single in named:
        path = ROOT / "tests" / (name if "/" in name else f"{_SENDING}/{name}")
        found = re.findall(
            r"^def (test_\w+)", path.read_text("utf-8") if path.exists() else "", re.MULTILINE
        )
        words = (several or single).split(" or ") if several or single else ["test_"]
        missing += [f"{name} -k {word}" for word in words if not any(word in one for one in found)]
    assert missing == []


def test_both_readmes_have_the_same_commands():
    english, chinese = (
        re.findall(
            r"^(?:make|\.venv/bin/python) .*$", (ROOT / name).read_text("utf-8"), re.MULTILINE
        )
        for name in ("README.md", "README.zh-CN.md")
    )

    def bare(lines):
        return [line.partition("#")[0].strip() for line in lines]

    assert bare(english) == bare(chinese)


def test_every_direct_dependency_is_pinned_with_its_hashes_and_no_index_is_named():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    for name, wanted in (
        ("requirements.txt", project["project"]["dependencies"]),
        ("requirements-dev.txt", project["dependency-groups"]["dev"]),
    ):
        text = (ROOT / name).read_text(encoding="utf-8")
        pinned = {
            line.partition("==")[0].partition("[")[0].lower()
            for line in text.splitlines()
            if "==" in line
        }
        direct = {_REQUIREMENT.match(one)[1].lower() for one in wanted}
        if name == "requirements-dev.txt":
            runtime = (ROOT / "requirements.txt").read_text(encoding="utf-8")
            pinned |= {x.partition("==")[0].partition("[")[0].lower() for x in runtime.split("\n")}
        assert direct <= pinned
        assert "--hash=sha256:" in text
        assert "index-url" not in text
        assert "find-links" not in text
        assert "file://" not in text


def test_every_decision_is_listed():
    listed = (ROOT / "docs/adr/README.md").read_text(encoding="utf-8")

    for path in (ROOT / "docs/adr").glob("0*.md"):
        assert path.name in listed
