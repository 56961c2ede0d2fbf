"""The forms of an import: which file, read how, and what may happen."""

from typing import Any

from django import forms
from django.core.files.uploadedfile import UploadedFile
from django.utils.translation import gettext, gettext_lazy
from unfold import widgets

from customers.admin.imports.limit_fields import LimitsField
from customers.domain.imports.states import ImportMode
from customers.domain.reading.encodings import ENCODINGS
from customers.labels import imports as import_labels
from customers.models import ImportBatch
from customers.selectors.imports.mappings import mapping_names
from customers.services.imports.files import encoding_candidates, stored_candidates

SUFFIXES = (".csv", ".csv.gz", ".xlsx", ".txt", ".jsonl", ".parquet")
_MODES = (ImportMode.UPSERT, ImportMode.INSERT, ImportMode.UPDATE)


class FileForm(forms.Form):
    """A file that some reader knows, or one that is kept since the form was sent before."""

    kept: ImportBatch | None = None

    file = forms.FileField(
        label=gettext_lazy("File"),
        widget=widgets.UnfoldAdminFileFieldWidget(attrs={"accept": ",".join(SUFFIXES)}),
        help_text=gettext_lazy(
            "CSV (UTF-8 or GB18030), XLSX, JSON lines or Parquet; the first row has the column "
            "names."
        ),
    )

    encoding = forms.ChoiceField(
        label=gettext_lazy("Encoding"),
        required=False,
        choices=lambda: [
            ("", gettext("Find out")),
            *((name, import_labels.encoding(name)) for name in ENCODINGS),
        ],
        widget=widgets.UnfoldAdminSelectWidget(),
        help_text=gettext_lazy("To be chosen only where a text file does not tell it for certain."),
    )

    def use_upload(self, batch: ImportBatch) -> None:
        """Ask for the file no more: it is kept."""
        self.kept = batch
        del self.fields["file"]

    def clean(self) -> dict[str, Any]:
        """Ask for the encoding where the file does not tell it, and name what it may be."""
        data = super().clean() or self.cleaned_data
        file = data.get("file")
        candidates: list[str] = []
        if data.get("encoding"):
            return data
        if self.kept is not None:
            candidates = stored_candidates(self.kept)
        elif file is not None:
            candidates = encoding_candidates(file.chunks())
        if candidates:
            self.add_error(
                "encoding",
                gettext(
                    "The file does not tell its encoding. Choose one here; it may be "
                    "%(candidates)s."
                )
                % {"candidates": "; ".join(import_labels.encoding(name) for name in candidates)},
            )
        return data

    def clean_file(self) -> "UploadedFile[bytes]":
        """Refuse files that no reader knows."""
        file: UploadedFile[bytes] = self.cleaned_data["file"]
        if not str(file.name).lower().endswith(SUFFIXES):
            raise forms.ValidationError(
                gettext_lazy("Choose a CSV, XLSX, JSON lines or Parquet file.")
            )
        return file


class HowForm(forms.Form):
    """What an import may do, and when it is to stop."""

    mode = forms.ChoiceField(
        label=gettext_lazy("Mode"),
        choices=lambda: [(mode, import_labels.IMPORT_MODES.label(mode)) for mode in _MODES],
        initial=ImportMode.UPSERT,
        widget=widgets.UnfoldAdminSelectWidget(),
    )
    limits = LimitsField(
        label=gettext_lazy("Limits"),
        help_text=gettext_lazy(
            "The largest allowed percentage of rows with a finding; a worse file is stopped before"
            " anything is written."
        ),
    )
    is_dry_run = forms.BooleanField(
        label=gettext_lazy("Only check, change nothing"),
        required=False,
        initial=True,
        widget=widgets.UnfoldBooleanSwitchWidget(),
    )


class ImportForm(HowForm, FileForm):
    """A file, how its columns are read, and whether anything is to be changed."""

    mapping = forms.ChoiceField(
        label=gettext_lazy("Mapping"),
        choices=lambda: [(name, import_labels.mapping_name(name)) for name in mapping_names()],
        widget=widgets.UnfoldAdminSelectWidget(),
        help_text=gettext_lazy("Says which column holds what."),
    )
