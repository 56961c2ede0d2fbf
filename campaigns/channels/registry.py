"""From a channel's name, backend and options to a checked object; one open object a process."""

import difflib
import hashlib
import importlib
import json
import os
import threading
from collections.abc import Mapping
from dataclasses import MISSING, dataclass, fields
from typing import Any

import msgspec
from django.conf import settings

from campaigns.channels.base import ChannelBackend, HasSetup
from campaigns.channels.errors import ChannelMisconfigured

BACKENDS: Mapping[str, str] = {
    "smtp": "campaigns.channels.smtp.SmtpChannel",
    "http_sms": "campaigns.channels.http_sms.HttpSmsChannel",
    "email_service": "campaigns.channels.email_services.channel.EmailServiceChannel",
    "webhook": "campaigns.channels.webhook.WebhookChannel",
    "console": "campaigns.channels.console.ConsoleChannel",
    "memory": "campaigns.channels.memory.MemoryChannel",
}

_ENVIRONMENT_PREFIX = "env:"

_lock = threading.Lock()
_open: dict[str, tuple[str, ChannelBackend]] = {}
_owner_pid = 0


def backends() -> dict[str, str]:
    """Return every known backend: ours and those of the setting `LOANCRM_CHANNEL_BACKENDS`."""
    extra: Mapping[str, str] = getattr(settings, "LOANCRM_CHANNEL_BACKENDS", {})
    return {**BACKENDS, **extra}


def kinds_of(backend: str) -> tuple[str, ...]:
    """Return the kinds of channel that a backend carries; empty for one that carries any.

    Raises:
        ChannelMisconfigured: There is no such backend, or it cannot be imported.
    """
    return tuple(getattr(_class_of(backend), "kinds", ()))


def options_type_of(backend: str) -> Any:
    """Return the dataclass of a backend's options.

    Raises:
        ChannelMisconfigured: There is no such backend, or it cannot be imported.
    """
    return _class_of(backend).options_type


@dataclass(frozen=True, slots=True)
class OptionShape:
    """An option of a backend: what it is called, and what it is where nobody says."""

    name: str
    default: str
    is_needed: bool


def options_of(backend: str) -> list[OptionShape]:
    """Return the options of a backend, in the order in which it declares them.

    Raises:
        ChannelMisconfigured: There is no such backend, or it cannot be imported.
    """
    return [
        OptionShape(
            option.name,
            "" if option.default is MISSING else json.dumps(option.default, ensure_ascii=False),
            is_needed=option.default is MISSING and option.default_factory is MISSING,
        )
        for option in fields(_class_of(backend).options_type)
    ]


def reaches_nobody(backend: str) -> bool:
    """Return whether what is handed to a backend ends there, in a log or in memory."""
    try:
        return bool(getattr(_class_of(backend), "reaches_nobody", False))
    except ChannelMisconfigured:
        return False


def build(*, name: str, backend: str, options: Mapping[str, Any]) -> ChannelBackend:
    """Make a new channel object.

    Args:
        name: The channel's slug, used in logs and errors.
        backend: A key of `backends()`.
        options: Options of that backend. A text value `env:NAME` is replaced by the environment
            variable NAME, so that secrets stay out of the database.

    Raises:
        ChannelMisconfigured: Unknown backend or option (with the nearest known name), or a value of
            the wrong type.
    """
    channel_type = _class_of(backend)
    parsed = _parse_options(channel_type.options_type, options)
    channel: Any = channel_type(name, parsed)
    if not isinstance(channel, ChannelBackend):
        raise ChannelMisconfigured(f"{backends()[backend]} does not keep the channel contract")
    return channel


def check_setup(*, name: str, backend: str, options: Mapping[str, Any]) -> None:
    """Make a channel object and have it look at what its options alone do not show.

    Raises:
        ChannelMisconfigured: As `build`, or something that it leads to is not right.
    """
    channel = build(name=name, backend=backend, options=options)
    if isinstance(channel, HasSetup):
        channel.check_setup()
    channel.close()


def shared(*, name: str, backend: str, options: Mapping[str, Any]) -> ChannelBackend:
    """Return this process's open channel of that name, made anew when its options have changed."""
    digest = _digest(backend, options)
    stale: ChannelBackend | None = None
    with _lock:
        _forget_parents_channels()
        held = _open.get(name)
        if held is not None and held[0] == digest:
            return held[1]
        channel = build(name=name, backend=backend, options=options)
        stale = held[1] if held is not None else None
        _open[name] = (digest, channel)
    if stale is not None:
        stale.close()
    return channel


def close_all() -> None:
    """Close every channel that `shared` opened in this process."""
    with _lock:
        channels = [channel for _digest_of, channel in _open.values()]
        _open.clear()
    for channel in channels:
        channel.close()


def _forget_parents_channels() -> None:
    """After a fork the inherited objects belong to the parent: drop them without closing."""
    global _owner_pid  # noqa: PLW0603 - one registry a process is the point of this module
    if _owner_pid != os.getpid():
        _open.clear()
        _owner_pid = os.getpid()


def _digest(backend: str, options: Mapping[str, Any]) -> str:
    encoded = msgspec.json.encode([backend, dict(options)], order="sorted")
    return hashlib.sha256(encoded).hexdigest()


def _class_of(backend: str) -> Any:
    known = backends()
    if backend not in known:
        raise ChannelMisconfigured(_unknown("backend", backend, known))
    return _import(known[backend])


def _import(path: str) -> Any:
    module_name, _dot, attribute = path.rpartition(".")
    try:
        return getattr(importlib.import_module(module_name), attribute)
    except (ImportError, AttributeError) as err:
        raise ChannelMisconfigured(f"cannot import {path}") from err


def _parse_options(options_type: Any, options: Mapping[str, Any]) -> Any:
    names = [field.name for field in fields(options_type)]
    for option in options:
        if option not in names:
            raise ChannelMisconfigured(_unknown("option", option, names))
    values = {option: _resolve(value) for option, value in options.items()}
    try:
        return msgspec.convert(values, type=options_type)
    except msgspec.ValidationError as err:
        raise ChannelMisconfigured(str(err)) from err


def _resolve(value: Any) -> Any:
    if not isinstance(value, str) or not value.startswith(_ENVIRONMENT_PREFIX):
        return value
    variable = value.removeprefix(_ENVIRONMENT_PREFIX)
    if variable not in os.environ:
        raise ChannelMisconfigured(f"environment variable {variable} is not set")
    return os.environ[variable]


def _unknown(kind: str, given: str, known: Any) -> str:
    near = difflib.get_close_matches(given, list(known), n=1)
    hint = f"; did you mean {near[0]!r}?" if near else f"; known: {', '.join(sorted(known))}"
    return f"unknown {kind} {given!r}{hint}"
