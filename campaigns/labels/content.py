"""How findings about texts, templates and the parts of a text are read aloud."""

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext_lazy as _

from campaigns.domain.content.lint_problems import LintProblem, LintProblemCode
from campaigns.domain.content.written import TextLanguage, TextPart
from campaigns.domain.requests.template import NameProblem, TemplateStatus
from loancrm.kernel.words.vocabulary import Term, Vocabulary

TEMPLATE_STATUSES = Vocabulary(
    TemplateStatus,
    {
        TemplateStatus.DRAFT: _("Draft"),
        TemplateStatus.IN_REVIEW: Term(_("In review"), tone="warn"),
        TemplateStatus.APPROVED: Term(_("Approved"), tone="busy"),
    },
)
VARIABLE_NAME_PROBLEMS = Vocabulary(
    NameProblem,
    {
        NameProblem.MALFORMED: _(
            "“%(name)s” is no name for a variable: small letters, digits and _, up to 40."
        ),
        NameProblem.RESERVED: _(
            "“%(name)s” has its value already and cannot be given with a call."
        ),
        NameProblem.REPEATED: _("“%(name)s” stands there twice."),
        NameProblem.TOO_MANY: _("A template has at most 20 variables."),
    },
)
CONTENT_PROBLEMS = Vocabulary(
    LintProblemCode,
    {
        LintProblemCode.TEMPLATE_REFUSED: _("The text cannot be used: %(reason)s"),
        LintProblemCode.UNKNOWN_VARIABLE: _("There is no variable %(name)s"),
        LintProblemCode.EXAMPLE_FAILS: _(
            "The text cannot be filled with example values: %(error)s"
        ),
        LintProblemCode.EMPTY: _("The text is empty"),
        LintProblemCode.UNSUBSCRIBE_MISSING: _("The unsubscribe link is missing"),
        LintProblemCode.SENDER_MISSING: _("The text does not say who sends it"),
        LintProblemCode.SIGNATURE_MISSING: _("The channel has no registered signature"),
        LintProblemCode.SIGNATURE_IN_BODY: _("The brackets 【】 belong to the signature only"),
        LintProblemCode.BANNED_WORD: _("Forbidden word: %(word)s"),
        LintProblemCode.RISKY_WORD: _("Risky word: %(word)s"),
        LintProblemCode.RATE_WITHOUT_APR: _("A rate is named without the annual rate"),
        LintProblemCode.VARIABLE_IN_LINK: _("A link must not contain a variable"),
        LintProblemCode.LINK_NOT_COUNTED: _(
            "Clicks on “%(link)s” are not counted: write it with https:// and a blank after it"
        ),
        LintProblemCode.IMAGE_ONLY: _(
            "The e-mail is almost only an image; read it before you approve"
        ),
        LintProblemCode.MANY_PARTS: _("The text takes %(parts)s parts"),
        LintProblemCode.OFFER_IN_SERVICE: _("An offer has no place in a service message: %(word)s"),
        LintProblemCode.COST_NOT_SHOWN: _(
            "A rate is named without the annual all-in cost beside it"
        ),
        LintProblemCode.RATE_ABOVE_CAP: _(
            "The annual rate of %(rate)s%% is above the %(cap)s%% that may be charged"
        ),
        LintProblemCode.COST_ABOVE_CAP: _(
            "“%(product)s” costs %(cost)s%% a year all in, above the %(cap)s%% that may be charged"
        ),
        LintProblemCode.COST_UNKNOWN: _(
            "The all-in cost of “%(product)s” is not known: enter its rate and its term"
        ),
        LintProblemCode.PARTNER_NOT_LISTED: _(
            "“%(partner)s” charges for “%(product)s” and is not on the list of partners today"
        ),
        LintProblemCode.SIGNATURE_NOT_FILED: _(
            "The signature “%(signature)s” is not approved with the provider of “%(channel)s” now"
        ),
        LintProblemCode.TEMPLATE_NOT_FILED: _(
            "The template “%(template)s” is not approved with the provider of “%(channel)s” now"
        ),
        LintProblemCode.TEMPLATE_MISMATCH: _(
            "The text is none of the templates that are filed with the provider of “%(channel)s”"
        ),
        LintProblemCode.TOO_MANY_CHOICES: _(
            "The text has more conditions than can be looked through"
        ),
    },
)
# Why a text cannot be read, by the reason that `text_templates` gives; after a colon it names what
# stands there.
_TEMPLATE_REASONS: Mapping[str, Any] = {
    "syntax": _("a brace is not closed, or a command is not complete"),
    "source_too_long": _("it is too long"),
    "too_deep": _("it is nested too deeply"),
    "too_many_steps": _("its loops run for too long"),
    "not_text": _("it holds a character that no message can hold"),
    "number": _("it holds a number that cannot be read"),
    "too_many_nodes": _("it has too many commands"),
    "not_allowed": _(
        "it calculates or calls something; only values, conditions and lists may be used"
    ),
    "assignment": _("it sets a value of its own"),
    "none": _("it uses “none”"),
    "private_attribute": _("it reads something that is not for texts"),
    "loop_depth": _("its lists are nested too deeply"),
    "loop_form": _("a list is read in a way that is not allowed"),
    "loop_source": _("a list is read in a way that is not allowed"),
    "condition_without_else": _("a short condition has no “else”"),
    "filter": _("there is no such format after a bar: %(name)s"),
    "filter_block": _("a format is put around a whole block"),
    "test": _("there is no such condition: %(name)s"),
}
# Why a text cannot be filled with example values, by the code of the error.
_EXAMPLE_REASONS: Mapping[str, Any] = {
    "missing_variable": _("a value is missing"),
    "render_failed": _("a value does not fit its format, or nothing is left of the text"),
    "output_too_long": _("it becomes too long"),
}
TEXT_LANGUAGES = Vocabulary(
    TextLanguage, {TextLanguage.CHINESE: _("Chinese"), TextLanguage.ENGLISH: _("English")}
)
# Names of languages for those who write in them.
LANGUAGE_NAMES = Vocabulary(
    TextLanguage, {TextLanguage.CHINESE: "中文", TextLanguage.ENGLISH: "English"}
)
TEXT_PARTS = Vocabulary(
    TextPart, {TextPart.SUBJECT: _("subject"), TextPart.TEXT: _("body"), TextPart.HTML: _("HTML")}
)


def describe(problem: LintProblem) -> str:
    """Return a finding about a text as a sentence in the language of the reader."""
    facts = dict(problem.facts)
    if problem.code is LintProblemCode.TEMPLATE_REFUSED:
        facts["reason"] = _template_reason(str(facts.get("reason", "")))
    elif problem.code is LintProblemCode.EXAMPLE_FAILS:
        code = str(facts.get("error", ""))
        facts["error"] = _EXAMPLE_REASONS.get(code, _EXAMPLE_REASONS["render_failed"])
    return CONTENT_PROBLEMS.label(problem.code) % facts


def _template_reason(reason: str) -> str:
    kind, _colon, name = reason.partition(":")
    return str(_TEMPLATE_REASONS.get(kind, _TEMPLATE_REASONS["not_allowed"])) % {"name": name}
