"""Fields for the options of each backend, made from the types that the backend itself checks."""

from collections.abc import Iterator, Mapping
from dataclasses import MISSING, Field, fields
from typing import Any, Literal, get_args, get_origin, get_type_hints

from django import forms
from unfold import widgets

from campaigns.channels import registry
from campaigns.channels.errors import ChannelMisconfigured
from campaigns.labels import channel_options

# Entered in a field of their own and sealed, or named by `env:` among the expert's options.
SECRETS = frozenset({"secret", "password", "webhook_secret"})


def add_option_fields(form: forms.Form, options: Mapping[str, Any], backend: str) -> None:
    """Add the fields of every backend to a form; those of the stored one show what is stored."""
    for name in sorted(registry.backends()):
        known = options if name == backend else {}
        for option, hint in _options_of(name):
            field = _field(option, hint)
            if field is None:
                continue
            field.label = channel_options.option(option.name)
            field.help_text = channel_options.hint(name, option.name)
            field.required = False
            field.initial = known.get(option.name, _default(option))
            form.fields[field_name(name, option.name)] = field
        form.fields[field_name(name, "")] = forms.CharField(
            required=False, initial="1", widget=forms.HiddenInput()
        )


def field_name(backend: str, option: str) -> str:
    """Return the name of one option's field; of the sign that the fields were there without one."""
    return f"option_{backend}_{option}"


def option_groups(form: forms.Form) -> Iterator[tuple[str, forms.BoundField, list[Any]]]:
    """Yield each backend with the sign that its fields were there, and its fields."""
    for backend in sorted(registry.backends()):
        names = [field_name(backend, option.name) for option, _hint in _options_of(backend)]
        shown = [form[name] for name in names if name in form.fields]
        yield backend, form[field_name(backend, "")], shown


def options_from(form: forms.Form, written: Mapping[str, Any]) -> dict[str, Any]:
    """Return the options that a form was filled in with.

    An option that says what the backend does anyway is left out, unless it was written before.

    Args:
        form: With cleaned data.
        written: What is written as JSON; the fields change what they are about and leave the rest.
    """
    found = dict(written)
    backend = form.cleaned_data.get("backend", "")
    if "options" in form.changed_data or not form.data.get(field_name(backend, "")):
        # The expert has the last word; and a form without the fields says nothing by them.
        return found
    for option, _hint in _options_of(backend):
        name = field_name(backend, option.name)
        if name not in form.fields:
            continue
        value = form.cleaned_data.get(name)
        if value in {None, ""}:
            found.pop(option.name, None)
        elif option.name in found or value != _default(option):
            found[option.name] = value
    return found


def _options_of(backend: str) -> list[tuple["Field[Any]", Any]]:
    try:
        options_type = registry.options_type_of(backend)
    except ChannelMisconfigured:
        return []
    hints = get_type_hints(options_type)
    return [(one, hints[one.name]) for one in fields(options_type) if one.name not in SECRETS]


def _default(option: "Field[Any]") -> Any:
    return None if option.default is MISSING else option.default


def _field(option: "Field[Any]", hint: Any) -> forms.Field | None:
    """Return a field for a type; None for one that only an expert writes."""
    if get_origin(hint) is Literal:
        words = channel_options.WORDS.get(option.name, {})
        choices = [(value, words.get(value, value)) for value in get_args(hint)]
        return forms.ChoiceField(choices=choices, widget=widgets.UnfoldAdminSelectWidget())
    if hint is bool:
        return forms.BooleanField(widget=widgets.UnfoldBooleanWidget())
    if hint is int:
        return forms.IntegerField(widget=widgets.UnfoldAdminIntegerFieldWidget())
    if hint is float:
        return forms.FloatField(widget=widgets.UnfoldAdminDecimalFieldWidget())
    if hint is str:
        return forms.CharField(widget=widgets.UnfoldAdminTextInputWidget())
    return None
