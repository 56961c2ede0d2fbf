"""What may have changed between deciding and sending, asked again as part of every mark."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.db import connection

from campaigns.domain.sending.eligibility import MessagePlan
from campaigns.selectors.sending import refusals
from customers.domain.consents.consent import Purpose
from customers.domain.values.contact import ContactStatus
from customers.domain.values.person import MarketingStatus
from loancrm.kernel.database.bulk import Statement

_PERSON = "campaigns_message.customer_id"
# Scalar look-ups by key instead of EXISTS or counts: the planner turns the one into joins and plans
# a grouping for the other, which takes it longer than to look fifty people up.
_ADDRESS = f"""(SELECT p.status = %s AND (p.is_primary OR campaigns_message.is_point_named)
        AND (SELECT 1 FROM campaigns_suppression s
        WHERE s.value_index = p.value_index AND s.value_index <> '' AND s.lifted_at IS NULL
        AND s.channel IN ('', %s) AND s.purpose IN ('', %s) LIMIT 1) IS NULL
    FROM customers_contactpoint p
    WHERE p.id = %(point)s AND p.customer_id = {_PERSON})"""  # noqa: S608 - our tables
_NOT_STOPPED = f"""(SELECT 1 FROM campaigns_suppression s
    WHERE s.customer_id = {_PERSON} AND s.lifted_at IS NULL
    AND s.channel IN ('', %s) AND s.purpose IN ('', %s) LIMIT 1) IS NULL"""  # noqa: S608 - our tables
_OPEN = f"""(SELECT c.marketing_status = %s
    AND (c.marketing_paused_until IS NULL OR c.marketing_paused_until <= %s)
    FROM customers_customer c WHERE c.id = {_PERSON})"""  # noqa: S608 - our tables
_CONSENTING = f"""(SELECT a.is_granted AND (a.expires_at IS NULL OR a.expires_at > %s)
    FROM customers_consentstate a
    WHERE a.customer_id = {_PERSON} AND a.channel = %s AND a.purpose = %s)"""  # noqa: S608 - our tables
_PERSONALISED = f"""(SELECT c.personalisation_allowed
    FROM customers_customer c WHERE c.id = {_PERSON})"""  # noqa: S608 - our tables
_NO_OWN_LIMIT = f"""(SELECT c.weekly_message_limit IS NULL
    FROM customers_customer c WHERE c.id = {_PERSON})"""  # noqa: S608 - our tables
_LIMIT_NOT_LOWERED = f"""(SELECT c.weekly_message_limit IS NULL OR c.weekly_message_limit >= %s
    FROM customers_customer c WHERE c.id = {_PERSON})"""  # noqa: S608 - our tables
# Found by an index of merged records alone, which hardly anybody is in.
_NOT_MERGED = f"""(SELECT 1 FROM customers_customer m
    WHERE m.merged_into_id = {_PERSON}%(known)s LIMIT 1) IS NULL"""  # noqa: S608 - our tables
# An answer to one message of a campaign is an answer to its later ones, through whatever channel;
# the same people as `refusals.of_people`.
_NOT_REFUSED = f"""(SELECT 1 FROM campaigns_suppression s
    WHERE s.customer_id = {_PERSON} AND s.lifted_at IS NULL AND s.purpose IN ('', %s)
    AND s.at >= %s AND s.source <> %s LIMIT 1) IS NULL"""  # noqa: S608 - our tables

# The database's clock is of no use here: whoever reports an event says when it happened.
_GOAL_NOT_REACHED = f"""(SELECT 1 FROM customers_event e
    WHERE e.customer_id = {_PERSON} AND e.occurred_at >= %s
    AND e.type_id = (SELECT t.id FROM customers_eventtype t WHERE t.name = %s)
    LIMIT 1) IS NULL"""  # noqa: S608 - our tables


def still_willing(
    plan: MessagePlan, now: datetime, *, point: str, records: Sequence[int]
) -> Statement:
    """Return the condition, in SQL over a message's row, that nobody has said no since.

    The gates that a person, or somebody for them, can close at any moment: address, stop lists,
    a refusal of the campaign's earlier messages, consent, personalisation, hardship, break; that
    the campaign's goal is not reached; and that no record was merged into theirs, which may have
    had the message. Whom it leaves out stays planned and meets the gates again, which tell the
    reason.

    Args:
        point: The contact point that is written to, in SQL.
        records: Merged records that were known when the gates were asked, of all these people.
    """
    channel, purpose = plan.channel, plan.purpose.value
    at = connection.ops.adapt_datetimefield_value(now)
    known = f" AND m.id NOT IN ({', '.join(['%s'] * len(records))})" if records else ""
    parts = [
        _ADDRESS.replace("%(point)s", point),
        _NOT_STOPPED,
        _NOT_MERGED.replace("%(known)s", known),
    ]
    parameters: list[Any] = [ContactStatus.ACTIVE.value, channel, purpose, channel, purpose]
    parameters += records
    if plan.refusals_since is not None:
        since = connection.ops.adapt_datetimefield_value(plan.refusals_since)
        parts.append(_NOT_REFUSED)
        parameters += [purpose, since, refusals.CHOSEN_ONE_BY_ONE]
    if plan.goal_since is not None:
        since = connection.ops.adapt_datetimefield_value(plan.goal_since)
        parts.append(_GOAL_NOT_REACHED)
        parameters += [since, plan.goal_event]
    if plan.uses_personal_rules:
        parts.append(_PERSONALISED)
    if plan.purpose is Purpose.MARKETING:
        parts += [_OPEN, _CONSENTING]
        parameters += [MarketingStatus.OPEN.value, at, at, channel, purpose]
    return Statement(" AND ".join(parts), parameters)


def limit_not_lowered(limit: int | None) -> Statement:
    """Return the condition, in SQL over a message's row, that its person wants no fewer messages.

    Args:
        limit: The limit a week that the person had chosen when the gates were asked.
    """
    if limit is None:
        return Statement(_NO_OWN_LIMIT, [])
    return Statement(_LIMIT_NOT_LOWERED, [limit])
