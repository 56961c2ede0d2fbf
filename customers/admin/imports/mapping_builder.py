"""The page on which the columns of an uploaded file get their fields."""

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.text import slugify
from django.utils.translation import gettext as _

from customers.admin.imports.mapping_begin import ask, builder_url
from customers.admin.imports.mapping_forms import BuilderForm, ChoiceForm, target_choices
from customers.admin.imports.mapping_texts import read_aloud
from customers.domain.imports.cell_masks import masked
from customers.domain.imports.column_guess import Guess, guess_columns
from customers.domain.imports.mapping import parse_mapping
from customers.domain.imports.mapping_draft import (
    ColumnChoice,
    choices_of,
    definition_from,
    guessed_choices,
)
from customers.domain.imports.mapping_json import MappingError
from customers.domain.imports.states import ImportMode, ImportState
from customers.domain.imports.tryout import TryOut, try_out
from customers.labels import imports as import_labels
from customers.labels import mappings as mapping_labels
from customers.models import AttributeDefinition, ImportBatch, SavedMapping
from customers.selectors.imports.mappings import definition_of, fitting_mappings, shipped_names
from customers.services.imports import drafts
from customers.services.imports.drafts import Sample, Start
from customers.services.imports.files import has_file
from customers.services.sources import mappings
from loancrm import admin_pages
from loancrm.admin_site import object_url
from loancrm.kernel import clock

_PERMISSION = "customers.import_customers"
PREVIEWED = 10
_CELLS_SHOWN = 3
_ALSO = "also-"
_LIST = "admin:customers_importbatch_changelist"


@dataclass
class BuilderDraft:
    """What has been chosen so far; kept with the batch between two requests."""

    choices: list[ColumnChoice]
    name: str
    source: str = ""
    version: int | None = None
    base: dict[str, Any] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        """Return the draft as plain JSON values."""
        return asdict(self)

    def definition(self) -> dict[str, Any]:
        """Return the JSON of the mapping; see `definition_from` for what it refuses."""
        return definition_from(self.choices, base=self.base, name=self.name, source=self.source)


def build(request: HttpRequest, batch_id: int, *, model_admin: Any) -> HttpResponse:
    """Show the columns and what would become of them; save the mapping, import the file."""
    admin_pages.require(request, _PERMISSION)
    batch = get_object_or_404(ImportBatch, pk=batch_id)
    if batch.state != ImportState.DRAFT:
        return HttpResponseRedirect(object_url(batch))
    if has_file(batch) and not drafts.is_read(batch):
        return ask(request, batch, model_admin=model_admin)
    sample = drafts.sample_of(batch)
    guesses = _guesses(sample)
    builder = _Builder(request, batch, sample, guesses, _draft(batch, guesses))
    if request.method == "POST":
        answer = builder.answer(request.POST.get("do", "check"))
        if answer is not None:
            return answer
    return admin_pages.page(
        request,
        "customers/mapping_builder.html",
        title=batch.file_name,
        model_admin=model_admin,
        batch=batch,
        sample=sample,
        encoding=import_labels.encoding(sample.encoding),
        previewed=list(_preview(sample, builder.draft, guesses)),
        columns=builder.columns(),
        form=builder.form,
        problem=builder.problem,
        fitting=fitting_mappings(sample.columns),
        tried=builder.tried,
        tried_rows=[read_aloud(row) for row in builder.tried.rows[:PREVIEWED]]
        if builder.tried
        else [],
        tried_findings=[
            f"{import_labels.finding(code)}: {count}"
            for code, count in sorted(builder.tried.by_reason.items(), key=lambda item: -item[1])
        ]
        if builder.tried
        else [],
    )


class _Builder:
    """One request to the page: forms in, a draft and its try-out out."""

    def __init__(
        self,
        request: HttpRequest,
        batch: ImportBatch,
        sample: Sample,
        guesses: Mapping[str, Guess],
        draft: BuilderDraft,
    ) -> None:
        self.request, self.batch, self.sample = request, batch, sample
        self.guesses = guesses
        self.draft = draft
        self.problem = ""
        self.tried: TryOut | None = None
        self.actor = admin_pages.actor_of(request)
        self._forms(None)

    def _forms(self, data: Any) -> None:
        """Make the forms, bound to what was sent or showing the draft."""
        targets = target_choices()
        self.form = BuilderForm(
            data,
            initial={
                "name": self.draft.name,
                "source": self.draft.source,
                "version": self.draft.version,
                "is_dry_run": True,
            },
        )
        self.choice_forms = [
            ChoiceForm(data, prefix=f"c{number}", choice=choice, targets=targets)
            for number, choice in enumerate(self.draft.choices)
        ]

    def columns(self) -> list[dict[str, Any]]:
        """Return what the page shows of every column, those of one column together."""
        place = {name: at for at, name in enumerate(self.sample.columns)}
        firsts = {choice.column: n for n, choice in reversed([*enumerate(self.draft.choices)])}
        shown = [
            {
                "name": form.column,
                "number": number,
                "is_first": firsts[form.column] == number,
                "kind": import_labels.COLUMN_KINDS.label(guess.kind) if guess else "–",
                "words": ", ".join(guess.words[:_CELLS_SHOWN]) if guess else "",
                "check": import_labels.target_check(choice.target) if choice.is_mapped else "",
                "form": form,
            }
            for number, (form, choice) in enumerate(
                zip(self.choice_forms, self.draft.choices, strict=True)
            )
            for guess in [self.guesses.get(form.column)]
        ]
        return sorted(shown, key=lambda item: place.get(item["name"], len(place)))

    def answer(self, wish: str) -> HttpResponse | None:
        """Do what the pressed button says; None shows the page again."""
        if wish == "discard":
            with admin_pages.attempt(self.request, _("The file was discarded.")):
                drafts.discard_draft(actor=self.actor, batch_id=self.batch.pk, now=clock.now())
            return HttpResponseRedirect(reverse(_LIST))
        if wish == "use":
            return self._use(self.request.POST.get("mapping", ""))
        self._forms(self.request.POST)
        # Every form is asked, so that all mistakes are marked at once.
        faulty = [form for form in (self.form, *self.choice_forms) if not form.is_valid()]
        if faulty:
            self.problem = _("Some entries cannot be used; they are marked below.")
            return None
        self._take()
        if wish.startswith(_ALSO):
            self._add_target(wish.removeprefix(_ALSO))
            return None
        definition = self._checked()
        if definition is None:
            return None
        if wish == "save":
            self._save(definition)
        is_go = wish == "start" and self._is_decided()
        return self._start(definition) if is_go else None

    def _use(self, name: str) -> HttpResponse:
        """Start over from a mapping that exists."""
        definition = definition_of(name)
        if definition is not None:
            self.draft = _draft_from(name, definition, self.sample)
            self._save_draft()
        return HttpResponseRedirect(builder_url(self.batch))

    def _take(self) -> None:
        types = dict(AttributeDefinition.objects.values_list("name", "value_type"))
        data = self.form.cleaned_data
        self.draft.choices = [form.choice(types) for form in self.choice_forms]
        self.draft.name, self.draft.source = data["name"], data["source"]
        self._save_draft()

    def _add_target(self, number: str) -> None:
        """Let a column feed one more field; its entry is the last, so that the others stay."""
        choices = self.draft.choices
        if not number.isdecimal() or int(number) >= len(choices):
            return
        choices.append(ColumnChoice(choices[int(number)].column))
        self._save_draft()
        prefix = f"c{len(choices) - 1}"
        self.choice_forms.append(
            ChoiceForm(None, prefix=prefix, choice=choices[-1], targets=target_choices())
        )

    def _save_draft(self) -> None:
        drafts.save_draft(actor=self.actor, batch_id=self.batch.pk, draft=self.draft.as_json())

    def _checked(self) -> dict[str, Any] | None:
        """Return the mapping's JSON after trying it, or None after saying what is wrong."""
        try:
            definition = self.draft.definition()
            mapping = parse_mapping(definition)
        except MappingError as error:
            self._show_problem(error)
            return None
        self.tried = try_out(
            mapping,
            self.sample.rows,
            lines=self.sample.lines,
            today=clock.today(),
            zone=clock.company_zone(),
        )
        return definition

    def _is_decided(self) -> bool:
        """Return whether every column with values has been decided on; mark the others."""
        decided = {choice.column for choice in self.draft.choices if choice.target}
        filled = {name for row in self.sample.rows for name, cell in row.items() if cell.strip()}
        undecided = [form for form in self.choice_forms if form.column in filled - decided]
        for form in undecided:
            form.add_error("target", _("Say where it goes, or that it is not imported."))
        if undecided:
            self.problem = _(
                "These columns hold values that nobody has decided on: %(columns)s."
            ) % {"columns": ", ".join(dict.fromkeys(form.column for form in undecided))}
        return not undecided

    def _show_problem(self, error: MappingError) -> None:
        text = import_labels.MAPPING_PROBLEMS.label(error.problem)
        self.problem = mapping_labels.fault(error)
        column = mapping_labels.column_of(error.path)
        for form in self.choice_forms:
            if form.column == column:
                form.add_error(None, text)

    def _save(self, definition: dict[str, Any]) -> None:
        with admin_pages.attempt(self.request, _("The mapping was saved.")):
            saved = mappings.save_mapping(
                actor=self.actor,
                definition=definition,
                now=clock.now(),
                note=self.form.cleaned_data["note"],
                expected_version=self._expected(),
            )
            self.draft.version, self.draft.base = saved.version, definition
            self._save_draft()

    def _start(self, definition: dict[str, Any]) -> HttpResponse | None:
        data = self.form.cleaned_data
        with admin_pages.attempt(self.request, ""):
            drafts.start_draft(
                actor=self.actor,
                batch_id=self.batch.pk,
                start=Start(
                    definition=definition,
                    mode=ImportMode(data["mode"]),
                    is_dry_run=data["is_dry_run"],
                    limits=data["limits"],
                    note=data["note"],
                    expected_version=self._expected(),
                ),
                now=clock.now(),
            )
            return HttpResponseRedirect(object_url(self.batch))
        return None

    def _expected(self) -> int:
        """Return the version that the author started from; a changed name starts a new mapping."""
        is_same = self.draft.base.get("name") == self.draft.name
        return (self.draft.version or 0) if is_same else 0


def _guesses(sample: Sample) -> dict[str, Guess]:
    attributes = set(AttributeDefinition.objects.values_list("name", flat=True))
    found = guess_columns(sample.columns, sample.rows, today=clock.today(), attributes=attributes)
    return {guess.column: guess for guess in found}


def _draft(batch: ImportBatch, guesses: Mapping[str, Guess]) -> BuilderDraft:
    """Return what was chosen before, or what suggests itself."""
    stored = batch.mapping.get("draft")
    if stored:
        return BuilderDraft(
            **{**stored, "choices": [ColumnChoice(**item) for item in stored["choices"]]}
        )
    return BuilderDraft(guessed_choices(guesses.values()), _suggested_name(batch))


def _suggested_name(batch: ImportBatch) -> str:
    """Return a name after the file; where the file's is masked, one that says what it is."""
    stem = Path(batch.file_name).stem
    name = slugify(stem)[:50].strip("-_") or str(batch.pk)
    return f"mapping-{name}" if "*" in stem or name.isdigit() else name


def _draft_from(name: str, definition: dict[str, Any], sample: Sample) -> BuilderDraft:
    """Return a mapping as a draft; a shipped one has to get a name of its own."""
    own_name = f"{name}-2" if name in shipped_names() else name
    saved = SavedMapping.objects.filter(name=name, is_current=True).first()
    return BuilderDraft(
        choices_of(definition, sample.columns),
        own_name,
        str(definition.get("source", name)),
        saved.version if saved else None,
        definition,
    )


def _preview(
    sample: Sample, draft: BuilderDraft, guesses: Mapping[str, Guess]
) -> Iterator[tuple[int, list[str]]]:
    """Yield (line, masked cells) of the first rows."""
    targets: dict[str, str] = {}
    for choice in draft.choices:
        is_personal = choice.target.startswith(("customer.", "contact."))
        if is_personal or choice.column not in targets:
            targets[choice.column] = choice.target
    for line, row in list(zip(sample.lines, sample.rows, strict=True))[:PREVIEWED]:
        yield (
            line,
            [
                masked(row.get(name, ""), kind=guesses[name].kind, target=targets.get(name, ""))
                for name in sample.columns
            ],
        )
