import pytest
from django.utils import translation

from campaigns.channels import registry
from campaigns.labels import channel_options

NAMES = [
    (backend, option.name)
    for backend in registry.BACKENDS
    for option in registry.options_of(backend)
    if backend != "memory"
]


@pytest.mark.parametrize("language", ["en", "zh-hans"])
@pytest.mark.parametrize(("backend", "name"), NAMES)
def test_g14_every_option_is_read_in_words_in_both_languages(backend, name, language):
    with translation.override(language):
        words = channel_options.hint(backend, name)
    assert words
    has_chinese = any("一" <= letter <= "鿿" for letter in words)
    assert has_chinese == (language == "zh-hans")


def test_an_option_says_what_it_is_unless_it_is_set():
    shapes = {option.name: option for option in registry.options_of("email_service")}
    assert shapes["service"].is_needed
    assert shapes["connections"].default == "20"
    assert not shapes["secret"].is_needed
