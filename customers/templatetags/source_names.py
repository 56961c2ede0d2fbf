"""How templates name a source: by its title, never by the code that files call it by."""

from collections.abc import Mapping

from django import template

from customers import labels

register = template.Library()


@register.filter
def source_name(code: str, names: Mapping[str, str]) -> str:
    """Return a source as people read it; one that nobody has described stays as it is written.

    Args:
        names: `customers.selectors.sources.names`.
    """
    return names.get(code) or labels.own_source(code)
