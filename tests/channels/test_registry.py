import pytest

from campaigns.channels import registry
from campaigns.channels.errors import ChannelMisconfigured


@pytest.fixture(autouse=True)
def _close():
    yield
    registry.close_all()


@pytest.mark.parametrize(
    ("_case", "backend", "options", "hint"),
    [
        ("unknown backend", "smpt", {}, "did you mean 'smtp'?"),
        ("unknown option", "smtp", {"hots": "x"}, "did you mean 'host'?"),
        ("wrong type", "smtp", {"port": "25"}, "port"),
        ("out of range", "smtp", {"connections": 0}, "connections"),
        ("no such choice", "smtp", {"security": "ssl"}, "security"),
        ("no variable", "smtp", {"password": "env:NOT_SET_ANYWHERE"}, "NOT_SET_ANYWHERE"),
        ("no address", "http_sms", {"url": "ftp://x"}, "url"),
    ],
)
def test_what_cannot_work_is_refused_with_a_hint(_case, backend, options, hint):
    with pytest.raises(ChannelMisconfigured) as refusal:
        registry.build(name="x", backend=backend, options=options)
    assert hint in refusal.value.facts["problem"]


def test_secrets_come_from_the_environment(monkeypatch):
    monkeypatch.setenv("RELAY_PASSWORD", "hush")
    channel = registry.build(
        name="x", backend="smtp", options={"username": "u", "password": "env:RELAY_PASSWORD"}
    )
    assert channel._options.password == "hush"
    assert "hush" not in repr(channel._options)


def test_a_process_keeps_one_open_channel_a_name():
    first = registry.shared(name="a", backend="memory", options={})
    assert registry.shared(name="a", backend="memory", options={}) is first
    changed = registry.shared(name="a", backend="memory", options={"supports_idempotency": False})
    assert changed is not first
    assert changed.limits.supports_idempotency is False


def test_a_backend_of_somebody_else_is_found_by_its_path(settings):
    settings.LOANCRM_CHANNEL_BACKENDS = {"mine": "campaigns.channels.memory.MemoryChannel"}
    assert registry.build(name="x", backend="mine", options={}).name == "x"


def test_a_class_that_is_no_channel_is_refused(settings):
    settings.LOANCRM_CHANNEL_BACKENDS = {"bad": "campaigns.channels.nowhere.Thing"}
    with pytest.raises(ChannelMisconfigured):
        registry.build(name="x", backend="bad", options={})
