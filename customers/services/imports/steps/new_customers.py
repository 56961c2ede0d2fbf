"""Staged rows that lead to nobody yet, made customers by PostgreSQL alone; and rows known already.

Everything that a new customer consists of stands ready in the staged row, personal values sealed,
so that no row has to travel to Python and back.
"""

from __future__ import annotations

from typing import Any

from django.db import connection

from customers.domain.events.lifecycle import LifecycleStage
from customers.domain.identity.match_keys import MatchKey
from customers.domain.imports.states import RowState
from customers.domain.values.contact import ContactKind, ContactStatus
from customers.domain.values.person import Gender, MarketingStatus
from customers.services.imports.steps.apply import ApplyOrder
from customers.services.imports.steps.sealed import FLAWED
from customers.services.imports.steps.trust import DEFAULTS
from loancrm.kernel.database.named_sql import statement


def mark_unchanged(*, order: ApplyOrder, lines: range) -> int:
    """Mark the standalone rows that were applied before and have not changed; return how many."""
    return int(_run(statement("customers", "imports/mark_unchanged"), order, lines).rowcount)


def bulk_insert(*, order: ApplyOrder, lines: range) -> int:
    """Make customers of the standalone rows of some lines that lead to nobody; return how many.

    Raises:
        IntegrityError: Somebody else created one of them meanwhile.
    """
    words = statement("customers", "consents/first_words")
    create = statement("customers", "imports/create_customers", first_words=words)
    return int(_run(create, order, lines).fetchone()[0])


def _run(sql: str, order: ApplyOrder, lines: range) -> Any:
    cursor = connection.cursor()
    cursor.execute(
        sql,
        {
            "batch": order.batch.pk,
            "first": lines.start,
            "end": lines.stop,
            "source": order.mapping.source,
            "evidence": f"import:{order.batch.pk}",
            "now": order.now,
            "definitions": order.definition_ids,
            "staged": RowState.STAGED.value,
            "created": RowState.CREATED.value,
            "unchanged": RowState.UNCHANGED.value,
            "phone": ContactKind.PHONE.value,
            "email": ContactKind.EMAIL.value,
            "active": ContactStatus.ACTIVE.value,
            "unknown": Gender.UNKNOWN.value,
            "lead": LifecycleStage.LEAD.value,
            "open": MarketingStatus.OPEN.value,
            "flawed": FLAWED,
            **DEFAULTS,
            "by_id": MatchKey.EXTERNAL_ID.value,
        },
    )
    return cursor
