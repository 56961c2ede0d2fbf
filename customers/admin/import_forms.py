"""The forms of an import: which file, read how, and what may happen."""

from django import forms
from django.core.files.uploadedfile import UploadedFile
from django.utils.translation import gettext, gettext_lazy
from unfold import widgets

from customers import labels
from customers.domain.mapping import parse_limits
from customers.domain.reading.encodings import ENCODINGS
from customers.models import ImportMode
from customers.selectors.mappings import mapping_names

SUFFIXES = (".csv", ".csv.gz", ".xlsx", ".txt", ".jsonl", ".parquet")
_MODES = (ImportMode.UPSERT, ImportMode.INSERT, ImportMode.UPDATE)


class FileForm(forms.Form):
    """A file that some reader knows."""

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
        choices=lambda: [("", gettext("Find out")), *((name, name) for name in ENCODINGS)],
        widget=widgets.UnfoldAdminSelectWidget(),
        help_text=gettext_lazy("To be chosen only where a text file does not tell it for certain."),
    )

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
        choices=lambda: [(mode, labels.read(labels.IMPORT_MODES, mode)) for mode in _MODES],
        initial=ImportMode.UPSERT,
        widget=widgets.UnfoldAdminSelectWidget(),
    )
    limits = forms.CharField(
        label=gettext_lazy("Limits"),
        required=False,
        widget=widgets.UnfoldAdminTextInputWidget(attrs={"placeholder": "rejected=5"}),
        help_text=gettext_lazy(
            "Codes of findings with the largest allowed percentage of rows, or “rejected”; "
            "a worse file is stopped before anything is written."
        ),
    )
    is_dry_run = forms.BooleanField(
        label=gettext_lazy("Only check, change nothing"),
        required=False,
        initial=True,
        widget=widgets.UnfoldBooleanSwitchWidget(),
    )

    def clean_limits(self) -> dict[str, float]:
        """Read `code=percent`, several apart by spaces or commas."""
        pairs = [item.partition("=") for item in self.cleaned_data["limits"].split()]
        try:
            return parse_limits(
                {code: float(share.strip(",%")) / 100 for code, _sign, share in pairs}
            )
        except ValueError as error:
            raise forms.ValidationError(
                gettext_lazy("Write a known code, an equals sign and a percentage from 0 to 100.")
            ) from error


class ImportForm(HowForm, FileForm):
    """A file, how its columns are read, and whether anything is to be changed."""

    mapping = forms.ChoiceField(
        label=gettext_lazy("Mapping"),
        choices=lambda: [(name, labels.mapping_name(name)) for name in mapping_names()],
        widget=widgets.UnfoldAdminSelectWidget(),
        help_text=gettext_lazy("Says which column holds what."),
    )
