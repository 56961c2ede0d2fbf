"""The product's own Python files, parsed once for all conventions."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("loancrm", "customers", "campaigns", "analytics")


@dataclass(frozen=True, slots=True)
class SourceFile:
    """One file: where it is, relative to the project, its text and its tree."""

    path: str
    text: str
    tree: ast.Module

    @property
    def line_count(self) -> int:
        return len(self.text.splitlines())

    def functions(self) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
        for node in ast.walk(self.tree):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                yield node

    def classes(self) -> Iterator[ast.ClassDef]:
        for node in ast.walk(self.tree):
            if isinstance(node, ast.ClassDef):
                yield node


@cache
def files() -> tuple[SourceFile, ...]:
    """Every file of the product, migrations excluded, in order."""
    return tuple(_read(path) for path in _paths(PACKAGES))


@cache
def test_files() -> tuple[SourceFile, ...]:
    """Every file of the tests."""
    return tuple(_read(path) for path in _paths(("tests",)))


def in_folder(*parts: str) -> list[SourceFile]:
    """The files of which the path has these folders one after the other."""
    wanted = "/" + "/".join(parts) + "/"
    return [file for file in files() if wanted in "/" + file.path]


def _paths(packages: tuple[str, ...]) -> list[Path]:
    return sorted(
        path
        for package in packages
        for path in (ROOT / package).rglob("*.py")
        if "migrations" not in path.parts and "node_modules" not in path.parts
    )


def _read(path: Path) -> SourceFile:
    text = path.read_text(encoding="utf-8")
    return SourceFile(str(path.relative_to(ROOT)), text, ast.parse(text))


def decorator_names(node: ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) -> set[str]:
    """The last part of every decorator's name."""
    names = set()
    for decorator in node.decorator_list:
        target = decorator.func if isinstance(decorator, ast.Call) else decorator
        names.add(target.attr if isinstance(target, ast.Attribute) else getattr(target, "id", ""))
    return names


def code_lines(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Lines of a function without its docstring."""
    first = node.body[0]
    has_docstring = isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant)
    docstring = first.end_lineno - first.lineno + 1 if has_docstring else 0
    return node.end_lineno - node.lineno + 1 - docstring
