"""What pages are built of, as template tags: `{% load components %}` (ADR 0019).

The markup and the class names of a component stand in `templates/django/components/` and nowhere
else. A component is given values and sees nothing else of the page; what stands between its tags is
rendered by the page. Further keyword arguments become attributes of the outermost element, with
underscores as hyphens (`data_fact="waiting"`).
"""

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from django import template
from django.core.paginator import Page
from django.forms.utils import flatatt
from django.template import Context
from django.template.base import Parser, Token
from django.template.library import SimpleBlockNode, parse_bits
from django.template.loader import get_template
from django.utils.functional import Promise
from django.utils.safestring import SafeString, mark_safe
from django.utils.text import smart_split

register = template.Library()


class TableColumn(NamedTuple):
    """The heading of one column; numbers stand at the right."""

    title: str
    is_numeric: bool = False


Heading = str | TableColumn | Sequence[str | TableColumn]


def component(name: str, **values: Any) -> SafeString:
    """Return a component's HTML, for code that hands a cell of HTML to a list of the admin."""
    return mark_safe(get_template(f"components/{name}.html", using="django").render(values))  # noqa: S308  # it is a template's output


@register.inclusion_tag("components/badge.html")
def badge(text: str, tone: str = "", *, state: str = "") -> dict[str, Any]:
    """Show a word that stands out.

    Args:
        tone: good, bad, warn, busy or none; a `Vocabulary` knows it.
        state: The state of a message, which has a colour of its own.
    """
    return {"text": text, "tone": tone, "state": state}


@register.simple_block_tag(takes_context=True)
def card(
    context: Context, content: str, title: str = "", aside: str = "", **attributes: Any
) -> SafeString:
    """Frame one thing.

    Args:
        aside: A quiet sentence beside the title; what is more goes into `card_head`.
    """
    return _render(context, "card", content, attributes, title=title, aside=aside)


@register.simple_block_tag(takes_context=True)
def card_head(context: Context, content: str, title: str = "") -> SafeString:
    """Show the upper end of a card: its title, if it has one, and what stands beside it."""
    return _render(context, "card_head", content, {}, title=title)


@register.tag
def table(parser: Parser, token: Token) -> SimpleBlockNode:
    """Show rows, `<tr>` each; where the table is too wide, it alone is scrolled.

    `{% table _("Name") _("Sent")|num more %}…{% endtable %}`: the arguments are headings, or lists
    of headings, in order; a table that explains itself has none.
    """
    # `split_contents` would not take a filter behind a text that is translated.
    bits = list(smart_split(token.contents))[1:]
    rows = parser.parse(("endtable",))
    parser.delete_first_token()
    args, kwargs = parse_bits(  # type: ignore[call-arg] # missing in the stubs: takes_context
        parser,
        bits,
        params=["context"],
        varargs="columns",
        varkw="attributes",
        defaults=None,
        kwonly=[],
        kwonly_defaults=None,
        takes_context=True,
        name="table",
    )
    return SimpleBlockNode(
        rows, _table, takes_context=True, args=args, kwargs=kwargs, target_var=None
    )


def _table(context: Context, content: str, *columns: Heading, **attributes: Any) -> SafeString:
    return _render(context, "table", content, attributes, columns=list(_columns(columns)))


@register.filter
def num(heading: str | Sequence[str]) -> TableColumn | list[TableColumn]:
    """Return a heading, or each of a list, as that of a column of numbers."""
    if isinstance(heading, list | tuple):
        return [TableColumn(_words(title), is_numeric=True) for title in heading]
    return TableColumn(_words(heading), is_numeric=True)


@register.simple_block_tag(takes_context=True)
def facts(
    context: Context, content: str, pairs: Iterable[tuple[str, Any]] = (), **attributes: Any
) -> SafeString:
    """Show what is known of one thing.

    Args:
        pairs: Name and value of facts that are plain text; the others are `fact`s between the tags.
    """
    return _render(context, "facts", content, attributes, pairs=pairs)


@register.simple_block_tag(takes_context=True)
def fact(context: Context, content: str, label: str = "", **attributes: Any) -> SafeString:
    """Show one fact; without a label it stands for the absence of any."""
    return _render(context, "fact", content, attributes, label=label)


@register.simple_block_tag(takes_context=True)
def note(context: Context, content: str, tone: str = "", **attributes: Any) -> SafeString:
    """Say what a reader must not miss; a note without words is not seen."""
    return _render(context, "note", content, attributes, tone=tone)


@register.simple_block_tag(takes_context=True)
def blank_slate(
    context: Context,
    content: str,
    icon: str,
    title: str,
    text: str = "",
    *,
    is_list: bool = False,
) -> SafeString:
    """Say that there is nothing yet and what it is for; between the tags stands the next step.

    Args:
        is_list: Whether it takes the place of a list of the admin, which it then covers.
    """
    return _render(
        context, "blank_slate", content, {}, icon=icon, title=title, text=text, is_list=is_list
    )


@register.simple_block_tag(takes_context=True)
def tile(
    context: Context, content: str, label: str, value: str = "", unit: str = "", **marks: str
) -> SafeString:
    """Show one key number; between the tags stands what explains it.

    Args:
        unit: What stands before the number.
        marks: An `icon`, the `url` that the tile leads to, a `tip` for all of it, a `label_tip`.
    """
    if unknown := marks.keys() - {"icon", "url", "tip", "label_tip"}:
        raise TypeError(f"a tile has no {', '.join(sorted(unknown))}")
    return _render(context, "tile", content, {}, label=label, value=value, unit=unit, **marks)


@register.inclusion_tag("components/tiles.html")
def tiles(tiles: Sequence[Any]) -> dict[str, Any]:
    """Show key numbers (`analytics.dashboards.cards.Tile`) side by side."""
    return {"tiles": tiles}


_SPARK = (120, 28)


@register.inclusion_tag("components/spark.html")
def spark(values: Sequence[int], label: str) -> dict[str, Any]:
    """Show how a number went, as a line without axes, from 0 up; words say the ends of it.

    Args:
        values: The oldest first, one at least.
    """
    width, height = _SPARK
    most = max(*values, 1)
    apart = width / max(len(values) - 1, 1)
    # The line keeps its thickness inside the frame.
    points = " ".join(
        f"{index * apart:.1f},{height - 2 - value / most * (height - 4):.1f}"
        for index, value in enumerate(values)
    )
    return {
        "label": label,
        "points": points,
        "width": width,
        "height": height,
        "lowest": f"{min(values):,}",
        "highest": f"{max(values):,}",
        "last": f"{values[-1]:,}",
    }


@register.inclusion_tag("components/meter.html")
def meter(
    done: float, total: float, *, label: str = "", is_counted: bool = False, is_wide: bool = False
) -> dict[str, Any]:
    """Show how much of a total there is as a bar.

    Args:
        label: What the bar says to whom cannot see it.
        is_counted: Whether both numbers stand beside it.
    """
    return {
        "done": done,
        "total": total,
        "label": label,
        "is_counted": is_counted,
        "is_wide": is_wide,
    }


@register.inclusion_tag("components/row_menu.html")
def row_menu(label: str, items: Sequence[dict[str, str]]) -> dict[str, Any]:
    """Offer what can be done with one row, behind a button; it stands in the form of a list.

    Args:
        label: What the row is called.
        items: `text`, `icon` and `url` each; instead of `url` a `step` that is posted, with the
            address `next` to come back to.
    """
    return {"label": label, "items": items}


@register.inclusion_tag("components/awaited.html")
def awaited(url: str, part: str) -> dict[str, Any]:
    """Keep the place of a text that takes long: `awaited.js` asks for it once the page is there.

    Args:
        url: Answers with an object of texts; `part` is the one for this place.
    """
    return {"url": url, "part": part}


@register.inclusion_tag("components/chart.html")
def chart(chart: Any) -> dict[str, Any]:
    """Show a chart (`analytics.dashboards.charts.Chart`) with the same numbers as a table."""
    return {"chart": chart}


@register.inclusion_tag("components/pages.html")
def pages(page: Page[Any], query: str = "") -> dict[str, Any]:
    """Lead to the pages before and after, if there are any.

    Args:
        query: What else the address says, ending in `&`.
    """
    return {"page": page, "query": query}


def _words(text: object) -> str:
    """Return a text, whose per cent signs Django doubles where a template says `_("…")`."""
    return str(text).replace("%%", "%") if isinstance(text, Promise) else str(text)


def _columns(headings: Iterable[Heading]) -> Iterable[TableColumn]:
    for heading in headings:
        if isinstance(heading, TableColumn):
            yield heading
        elif isinstance(heading, list | tuple):
            yield from _columns(heading)
        else:
            yield TableColumn(_words(heading))


def _render(
    context: Context, name: str, content: str, attributes: dict[str, Any], **values: Any
) -> SafeString:
    """Render a component in a context of its own, which is cheaper than a copy of the page's."""
    page = context.template
    assert page is not None, "a tag is rendered by a template"  # noqa: S101  # for mypy
    drawn = context.render_context.get(name)
    if drawn is None:
        drawn = context.render_context[name] = page.engine.get_template(f"components/{name}.html")
    for key, value in values.items():
        if isinstance(value, Promise):
            # Looked up once, not wherever the component asks whether there is one.
            values[key] = _words(value)
    values["content"] = mark_safe(content.strip())  # noqa: S308  # the page has escaped it
    values["attributes"] = (
        flatatt({key.replace("_", "-"): value for key, value in attributes.items()})
        if attributes
        else ""
    )
    own = Context(values, use_l10n=context.use_l10n, use_tz=context.use_tz)
    own.template = page
    return drawn.nodelist.render(own)
