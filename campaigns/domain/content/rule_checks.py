"""What the rules in force say about prices, listed products and finished texts."""

from collections.abc import Iterable, Iterator, Mapping

from campaigns.domain.compliance import offers
from campaigns.domain.compliance.offers import ListedProduct
from campaigns.domain.compliance.rules import RuleCheck, RuleSeverity, RulesInForce
from campaigns.domain.content import rate_claims, word_search
from campaigns.domain.content.lint_problems import LintProblem, LintProblemCode


def check_rendered(
    parts: Mapping[str, str], *, is_marketing: bool, rules: RulesInForce
) -> tuple[LintProblem, ...]:
    """Return what stops a finished text: two values side by side may say what neither does.

    Args:
        parts: What one person would read, by `subject`, `text` or `html`.
        is_marketing: Whether the rules for marketing apply.
        rules: Those of the day and of this lender.
    """
    words = rules.banned_words()
    found: list[LintProblem] = []
    for where, text in parts.items():
        shown = word_search.without_tags(text) if where == "html" else text
        found += [
            LintProblem(LintProblemCode.BANNED_WORD, severity, where, {"word": word})
            for word, severity in word_search.banned(text, words)
        ]
        if is_marketing:
            found += rate_problems(shown, where, rules)
        elif severity := rules.severity_of(RuleCheck.NO_OFFER_IN_SERVICE):
            found += [
                LintProblem(LintProblemCode.OFFER_IN_SERVICE, severity, where, {"word": word})
                for word in word_search.offering(text)
            ]
    return tuple(problem for problem in found if problem.severity is RuleSeverity.BLOCK)


def check_offers(
    products: Iterable[ListedProduct], *, is_marketing: bool, rules: RulesInForce
) -> tuple[LintProblem, ...]:
    """Return what is wrong with the products that a text lists.

    Args:
        products: As the text would list them.
        is_marketing: Whether credit may be offered at all.
        rules: Those of the day and of this lender.
    """
    listed = list(products)
    severity = rules.severity_of(RuleCheck.NO_OFFER_IN_SERVICE)
    if listed and not is_marketing and severity:
        facts = {"word": listed[0].name}
        return (LintProblem(LintProblemCode.OFFER_IN_SERVICE, severity, "text", facts),)
    return tuple(
        LintProblem(LintProblemCode(fault.code.value), fault.severity, "text", dict(fault.facts))
        for fault in offers.offer_faults(listed, rules)
    )


def rate_problems(shown: str, where: str, rules: RulesInForce) -> Iterator[LintProblem]:
    """Yield what is wrong with the prices of credit that a reader sees in an advertisement."""
    severity = rules.severity_of(RuleCheck.ANNUAL_RATE_SHOWN)
    if severity and (claim := rate_claims.without_annual_rate(shown)):
        yield LintProblem(LintProblemCode.RATE_WITHOUT_APR, severity, where, {"claim": claim})
    rates = rate_claims.annual_rates(shown)
    severity = rules.severity_of(RuleCheck.ALL_IN_COST_SHOWN)
    if severity and rates and not rate_claims.names_all_in_cost(shown):
        yield LintProblem(LintProblemCode.COST_NOT_SHOWN, severity, where)
    for rule, cap in rules.cost_caps():
        if rates and max(rates) > cap:
            facts = {"rate": f"{max(rates) * 100:.2f}", "cap": f"{cap * 100:.2f}"}
            yield LintProblem(LintProblemCode.RATE_ABOVE_CAP, rule.severity, where, facts)
            return
