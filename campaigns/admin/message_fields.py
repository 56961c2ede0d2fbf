"""The fields of one message of a campaign: its channel, variants and texts, and its fallback."""

from collections.abc import Iterator, Sequence
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _
from unfold import widgets

from campaigns.admin.audience import place_fields
from campaigns.admin.stored_messages import StoredMessage
from campaigns.domain.campaigns.course import StepCondition
from campaigns.domain.campaigns.given.place_reading import USUAL_MINUTES
from campaigns.domain.campaigns.given.reader import MOST_WHOLE
from campaigns.domain.campaigns.spec import SAME_TEXT
from campaigns.domain.content.written import LOCALES, PARTS, TextSpec
from campaigns.labels import content as content_labels
from campaigns.models import Channel, Variant
from campaigns.selectors.content import faults as content_faults
from campaigns.selectors.content.faults import TextFinding

VARIANT_KEYS = ("A", "B", "C")
FALLBACK_KEY = "F"
OWN, SAME = "own", "same"
IN_USE, TAKEN_OUT = "yes", "no"


class ChannelSelect(widgets.UnfoldAdminSelectWidget):  # type: ignore[misc] # no types shipped
    """A choice of channels whose options carry the kind, so that the page shows fitting fields."""

    def create_option(self, name: str, value: Any, *args: Any, **kwargs: Any) -> dict[str, Any]:
        """Return one option with its channel's kind."""
        option: dict[str, Any] = super().create_option(name, value, *args, **kwargs)
        channel = getattr(value, "instance", None)
        if channel is not None:
            option["attrs"]["data-kind"] = channel.kind
        return option


class NamedChannels(forms.ModelChoiceField):  # type: ignore[type-arg] # not at run time
    """Channels by name."""

    def label_from_instance(self, obj: Any) -> str:
        """Return the channel's name."""
        return str(obj.name or obj.slug)


def prefix_of(number: int) -> str:
    """Return what the names of the fields of the n-th message begin with."""
    return "" if number == 1 else f"m{number}_"


def text_name(prefix: str, key: str, locale: str, part: str) -> str:
    """Return the name of the field for one part of a text."""
    return f"{prefix}{key}_{locale.replace('-', '_')}_{part}"


def field_of(finding: TextFinding) -> str:
    """Return the name of the form's field that a finding is about."""
    prefix = prefix_of(finding.message)
    key = FALLBACK_KEY if finding.is_fallback else finding.variant
    if finding.follows_message:
        # It has no text here: what can be changed is that it follows.
        return f"{prefix}{key}_text_from"
    return text_name(prefix, key, finding.locale, finding.place.part)


class MessageFields:
    """One message's part of a form.

    Args:
        form: To which the fields are added.
        number: Of the message, from 1.
        stored: What the draft has so far; its variants may have keys of their own.
    """

    def __init__(self, form: forms.Form, number: int, stored: StoredMessage | None) -> None:
        """Add the fields."""
        self.number = number
        self.prefix = prefix_of(number)
        own = [variant.key for variant in stored.variants] if stored else []
        self.keys = (*own, *(key for key in VARIANT_KEYS if key not in own))
        self._form = form
        there = set(form.fields)
        self._add_channels(stored)
        if number > 1:
            for name, field in place_fields.fields().items():
                self._add(name, field)
        for key in (*self.keys, FALLBACK_KEY):
            self._add_texts(key)
        for key in self.keys:
            self._add(
                f"{key}_weight",
                forms.IntegerField(
                    label=_("Weight"),
                    min_value=1,
                    required=False,
                    initial=1,
                    widget=widgets.UnfoldAdminIntegerFieldWidget(),
                ),
            )

        self._add(
            "is_out",
            forms.BooleanField(
                label=_("Take this message out when saving"),
                required=False,
                widget=widgets.UnfoldBooleanSwitchWidget(),
            ),
        )
        self._own = [name for name in form.fields if name not in there]

    @property
    def is_out(self) -> bool:
        """Return whether the form was sent with this message taken out."""
        return bool(self._value("is_out"))

    @property
    def taking_out(self) -> forms.BoundField:
        """Return the field by which the message is taken out."""
        return self._form[f"{self.prefix}is_out"]

    @property
    def channel(self) -> forms.BoundField:
        """Return the field of the channel."""
        return self._form[f"{self.prefix}channel"]

    @property
    def fallback_channel(self) -> forms.BoundField:
        """Return the field of the fallback's channel."""
        return self._form[f"{self.prefix}fallback_channel"]

    @property
    def fallback_wait(self) -> forms.BoundField:
        """Return the field that says how long the fallback waits."""
        return self._form[f"{self.prefix}fallback_after_minutes"]

    @property
    def place(self) -> list[forms.BoundField]:
        """Return the fields that say for whom a later message is and when; none of the first."""
        names = () if self.number == 1 else ("only_if", "after_minutes")
        return [self._form[f"{self.prefix}{name}"] for name in names]

    def blocks(self, faults: dict[str, list[TextFinding]]) -> Iterator[dict[str, Any]]:
        """Yield what is drawn: each variant, then the fallback, with fields by language."""
        for key in (*self.keys, FALLBACK_KEY):
            is_first, is_fallback = key == self.keys[0], key == FALLBACK_KEY
            origin = f"{self.prefix}{key}_text_from"
            yield {
                "key": key,
                "is_fallback": is_fallback,
                "is_added": not is_first and not is_fallback,
                "is_shown": is_first or self._is_shown(key),
                "in_use": None if is_first or is_fallback else self._bound(key, "in_use"),
                "weight": None if is_fallback else self._bound(key, "weight"),
                "text_from": None if is_first else self._form[origin],
                "text_from_faults": faults.get(origin, []),
                "locales": [self._cell(key, locale, faults) for locale in LOCALES],
            }

    def clean(self) -> None:
        """Refuse what would be lost without a word: texts not written, weights of nothing."""
        if self.is_out:
            self._forgive("")
            return
        for key in self.keys:
            if not self._is_used(key):
                self._forgive(key)
            elif not self._follows(key):
                self._require_text(key, self._value("channel"))
            if self._is_used(key) and self._value(f"{key}_weight") is None:
                self._wrong(f"{key}_weight", _("Give it a weight of at least 1."))
        if not self._value("fallback_channel"):
            self._forgive(FALLBACK_KEY)
        elif not self._follows(FALLBACK_KEY):
            self._require_text(FALLBACK_KEY, self._value("fallback_channel"))

    def described(self) -> dict[str, Any]:
        """Return the message's description, as a file would give it."""
        step: dict[str, Any] = {
            "channel": self._value("channel").slug,
            "variants": [
                {"key": key, "weight": self._value(f"{key}_weight"), "content": self._text(key)}
                for key in self.keys
                if self._is_used(key)
            ],
        }
        if self.number > 1:
            wait = self._value("after_minutes")
            step["only_if"] = self._value("only_if") or StepCondition.EVERYBODY.value
            step["after_minutes"] = USUAL_MINUTES if wait is None else wait
        if fallback := self._value("fallback_channel"):
            step["fallback_channel"] = fallback.slug
            step["fallback_content"] = self._text(FALLBACK_KEY)
            step["fallback_after_minutes"] = self._value("fallback_after_minutes")
        return step

    def _add(self, name: str, field: forms.Field) -> None:
        self._form.fields[f"{self.prefix}{name}"] = field

    def _add_channels(self, stored: StoredMessage | None) -> None:
        usable = Channel.objects.filter(is_active=True)
        if stored is not None:
            # A channel that was switched off meanwhile is shown, and refused by the check of texts.
            steps = [step for step in (stored.step, stored.fallback) if step is not None]
            usable |= Channel.objects.filter(pk__in=[step.touchpoint.channel_id for step in steps])
        usable = usable.order_by("name")
        self._add(
            "channel", NamedChannels(label=_("Channel"), queryset=usable, widget=ChannelSelect())
        )
        self._add(
            "fallback_channel",
            NamedChannels(
                label=_("Fallback channel"),
                queryset=usable,
                required=False,
                empty_label=_("No fallback"),
                widget=ChannelSelect(),
                help_text=_("For people whom the first message does not reach."),
            ),
        )
        self._add(
            "fallback_after_minutes",
            forms.IntegerField(
                label=_("Fallback after, minutes"),
                min_value=0,
                max_value=MOST_WHOLE,
                initial=60,
                required=False,
                widget=widgets.UnfoldAdminIntegerFieldWidget(),
                help_text=_(
                    "A fallback waits this long for reports of messages that did not arrive."
                ),
            ),
        )

    def _add_texts(self, key: str) -> None:
        if key != self.keys[0]:
            self._add(
                f"{key}_text_from",
                forms.ChoiceField(
                    label=_("Which text"),
                    choices=[
                        (OWN, _("A text of its own")),
                        (SAME, _("Same text as the message, with every later edit")),
                    ],
                    initial=OWN,
                    required=False,
                    widget=widgets.UnfoldAdminSelectWidget(),
                ),
            )
            self._add(f"{key}_in_use", forms.CharField(required=False, widget=forms.HiddenInput()))
        for locale in LOCALES:
            self._form.fields[text_name(self.prefix, key, locale, "subject")] = forms.CharField(
                label=_("Subject"),
                required=False,
                max_length=300,
                widget=widgets.UnfoldAdminTextInputWidget(),
            )
            for part, label, rows in (("text", _("Text"), 4), ("html", _("HTML"), 8)):
                self._form.fields[text_name(self.prefix, key, locale, part)] = forms.CharField(
                    label=label,
                    required=False,
                    strip=False,
                    widget=widgets.UnfoldAdminTextareaWidget(attrs={"rows": rows}),
                )

    def _bound(self, key: str, name: str) -> forms.BoundField:
        return self._form[f"{self.prefix}{key}_{name}"]

    def _cell(self, key: str, locale: str, faults: dict[str, list[TextFinding]]) -> dict[str, Any]:
        names = {part: text_name(self.prefix, key, locale, part) for part in PARTS}
        return {
            "code": locale,
            "name": content_labels.LANGUAGE_NAMES.label(locale),
            **{part: self._form[name] for part, name in names.items()},
            "faults": {part: faults.get(name, []) for part, name in names.items()},
        }

    def _is_shown(self, key: str) -> bool:
        """Return whether a block is open when the page is drawn."""
        names = [text_name(self.prefix, key, locale, part) for locale in LOCALES for part in PARTS]
        in_use = self._bound(key, "in_use").value()
        return in_use != TAKEN_OUT and (
            in_use == IN_USE or any(self._form[name].value() for name in names)
        )

    def _value(self, name: str) -> Any:
        return self._form.cleaned_data.get(f"{self.prefix}{name}")

    def _wrong(self, name: str, words: Any) -> None:
        if f"{self.prefix}{name}" not in self._form.errors:
            self._form.add_error(f"{self.prefix}{name}", words)

    def _forgive(self, key: str) -> None:
        """Drop errors of a block that is not used; of the whole message without a key."""
        start = f"{self.prefix}{key}_" if key else self.prefix
        for name in self._own:
            if name.startswith(start):
                self._form.errors.pop(name, None)

    def _is_used(self, key: str) -> bool:
        if key == self.keys[0]:
            return True
        in_use = self._value(f"{key}_in_use")
        return in_use == IN_USE or (in_use != TAKEN_OUT and bool(self._written(key)))

    def _follows(self, key: str) -> bool:
        return key != self.keys[0] and self._value(f"{key}_text_from") == SAME

    def _written(self, key: str) -> dict[str, dict[str, str]]:
        """Return one variant's texts by language; languages left blank are left out."""
        found: dict[str, dict[str, str]] = {}
        for locale in LOCALES:
            texts = {
                part: str(
                    self._form.cleaned_data.get(text_name(self.prefix, key, locale, part)) or ""
                )
                for part in PARTS
            }
            if any(text.strip() for text in texts.values()):
                found[locale] = texts
        return found

    def _text(self, key: str) -> Any:
        return SAME_TEXT if self._follows(key) else self._written(key)

    def _require_text(self, key: str, channel: Channel | None) -> None:
        written = self._written(key)
        if not written:
            self._wrong(f"{key}_{LOCALES[0].replace('-', '_')}_text", self._missing(key))
        for locale, texts in written.items():
            if not texts["text"].strip() and not texts["html"].strip():
                self._wrong(
                    f"{key}_{locale.replace('-', '_')}_text",
                    _("There is a subject but no text: write the text, or empty the subject."),
                )
            finding = content_faults.unreadable(
                TextSpec(locale=locale, **texts),
                kind=channel.kind if channel else "",
                variant=self.keys[0] if key == FALLBACK_KEY else key,
                message=self.number,
                is_fallback=key == FALLBACK_KEY,
            )
            if finding is not None:
                self._wrong(field_of(finding).removeprefix(self.prefix), str(finding))

    def _missing(self, key: str) -> Any:
        if key == self.keys[0]:
            return _("Write the message in at least one language.")
        if key == FALLBACK_KEY:
            return _("Write the fallback message too, or choose the same text as the message.")
        return _(
            "Write this variant's text, choose the same text as the message, or take the variant"
            " out."
        )


def initial_messages(messages: Sequence[StoredMessage]) -> dict[str, Any]:
    """Return the values of the fields of a campaign's messages."""
    values: dict[str, Any] = {}
    for number, message in enumerate(messages, start=1):
        prefix = prefix_of(number)
        values[f"{prefix}channel"] = message.step.channel
        values[f"{prefix}only_if"] = message.step.condition
        values[f"{prefix}after_minutes"] = message.step.wait_minutes
        for variant in message.variants:
            values |= _initial_variant(prefix, variant.key, variant)
        if message.fallback is not None:
            values[f"{prefix}fallback_channel"] = message.fallback.channel
            values[f"{prefix}fallback_after_minutes"] = message.fallback.wait_minutes
            for variant in message.fallback_variants[:1]:
                values |= _initial_variant(prefix, FALLBACK_KEY, variant)
    return values


def _initial_variant(prefix: str, key: str, variant: Variant) -> dict[str, Any]:
    return {
        f"{prefix}{key}_in_use": IN_USE,
        f"{prefix}{key}_weight": variant.weight,
        f"{prefix}{key}_text_from": SAME if variant.follows_message else OWN,
        **{
            text_name(prefix, key, row.locale, part): getattr(row, part)
            for row in variant.contents.all()
            if row.is_current
            for part in PARTS
        },
    }
