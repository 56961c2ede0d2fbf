"""What may have changed between deciding and sending, asked again as part of every mark."""

from datetime import datetime
from typing import Any

from django.db import connection

from campaigns.domain.eligibility import MessagePlan
from campaigns.selectors.contact_facts import CONTACT_KINDS
from customers.domain.consent import Purpose
from customers.domain.contact import ContactStatus
from customers.domain.person import MarketingStatus
from loancrm.kernel.bulk import Statement

_PERSON = "campaigns_message.customer_id"
# Counted instead of EXISTS: the planner turns that into joins, which takes it longer than to look
# twenty people up by key.
_ADDRESS = f"""(SELECT count(*) FROM customers_contactpoint p
    WHERE p.customer_id = {_PERSON} AND p.kind = %s AND p.is_primary AND p.status = %s
    AND (SELECT count(*) FROM campaigns_suppression s WHERE s.value_index = p.value_index
        AND s.value_index <> '' AND s.lifted_at IS NULL
        AND s.channel IN ('', %s) AND s.purpose IN ('', %s)) = 0) > 0"""  # noqa: S608 - our tables
_NOT_STOPPED = f"""(SELECT count(*) FROM campaigns_suppression s
    WHERE s.customer_id = {_PERSON} AND s.lifted_at IS NULL
    AND s.channel IN ('', %s) AND s.purpose IN ('', %s)) = 0"""  # noqa: S608 - our tables
_OPEN = f"""(SELECT c.marketing_status = %s
    AND (c.marketing_paused_until IS NULL OR c.marketing_paused_until <= %s)
    FROM customers_customer c WHERE c.id = {_PERSON})"""  # noqa: S608 - our tables
_CONSENTING = f"""(SELECT count(*) FROM customers_consentstate a
    WHERE a.customer_id = {_PERSON} AND a.channel = %s AND a.purpose = %s AND a.is_granted
    AND (a.expires_at IS NULL OR a.expires_at > %s)) > 0"""  # noqa: S608 - our tables


def still_willing(plan: MessagePlan, now: datetime) -> Statement:
    """Return the condition, in SQL over a message's row, that nobody has said no since.

    The gates that a person, or somebody for them, can close at any moment: address, stop lists,
    consent, hardship, break. Whom it leaves out stays planned and meets the gates again, which
    tell the reason.
    """
    channel, purpose = plan.channel, plan.purpose.value
    parts = [_ADDRESS, _NOT_STOPPED]
    kind = CONTACT_KINDS.get(channel, channel)
    parameters: list[Any] = [str(kind), ContactStatus.ACTIVE.value, channel, purpose]
    parameters += [channel, purpose]
    if plan.purpose is Purpose.MARKETING:
        at = connection.ops.adapt_datetimefield_value(now)
        parts += [_OPEN, _CONSENTING]
        parameters += [MarketingStatus.OPEN.value, at, channel, purpose, at]
    return Statement(" AND ".join(parts), parameters)
