"""Staged rows that lead to nobody yet, made customers by PostgreSQL alone; and rows known already.

Everything that a new customer consists of stands ready in the staged row, personal values sealed,
so that no row has to travel to Python and back.
"""

from __future__ import annotations

from typing import Any, Final

from django.db import connection

from customers.domain.events.lifecycle import LifecycleStage
from customers.domain.identity.match_keys import MatchKey
from customers.domain.imports.mapping import TEXT_FIELDS, ValueType
from customers.domain.values.contact import ContactKind, ContactStatus
from customers.domain.values.person import Gender, MarketingStatus
from customers.models import RowState
from customers.services.consents import ledger
from customers.services.imports.steps.apply import ApplyOrder
from customers.services.imports.steps.sealed import FLAWED
from customers.services.imports.steps.trust import DEFAULTS

_LONE: Final = """r.batch_id = %(batch)s AND r.state = %(staged)s AND r.is_alone
        AND r.leader_line >= %(first)s AND r.leader_line < %(end)s"""

# A link counts for the row alone: a customer to whom several ids of the source lead, merged ones
# included, is left out, for there it matters which row of the file comes first.
_UNCHANGED: Final = f"""
WITH waiting AS MATERIALIZED (
    SELECT r.id, r.external_id, r.row_digest FROM customers_importrow r WHERE {_LONE}
),
known AS MATERIALIZED (
    SELECT w.id, link.customer_id
    FROM waiting w CROSS JOIN LATERAL (
        SELECT known.customer_id FROM customers_identitylink known
        WHERE known.source = %(source)s AND known.external_id = w.external_id
            AND known.row_digest = w.row_digest LIMIT 1
    ) link
    WHERE NOT EXISTS (
            SELECT FROM customers_identitylink other
            WHERE other.customer_id = link.customer_id AND other.source = %(source)s
                AND other.external_id <> w.external_id)
        AND NOT EXISTS (
            SELECT FROM customers_customer c
            WHERE c.id = link.customer_id AND c.merged_into_id IS NOT NULL)
        AND NOT EXISTS (
            SELECT FROM customers_customer merged WHERE merged.merged_into_id = link.customer_id)
)
UPDATE customers_importrow r
SET state = %(unchanged)s, customer_id = known.customer_id, content = NULL
FROM known WHERE r.id = known.id
"""  # noqa: S608 - parts of our own

_WAITING: Final = f"""
waiting AS MATERIALIZED (
    SELECT r.id, r.line, r.row_key, r.external_id, r.row_digest, r.national_id_index, r.content
    FROM customers_importrow r
    WHERE {_LONE}
        AND NOT EXISTS (
            SELECT FROM customers_identitylink known
            WHERE known.source = %(source)s AND known.external_id = r.external_id)
        AND NOT EXISTS (
            SELECT FROM customers_customer c
            WHERE r.national_id_index <> '' AND c.national_id_index = r.national_id_index
                AND c.merged_into_id IS NULL)
        AND NOT EXISTS (
            SELECT FROM customers_contactpoint p
            WHERE r.phone_index <> '' AND p.kind = %(phone)s AND p.value_index = r.phone_index)
        AND NOT EXISTS (
            SELECT FROM customers_contactpoint p
            WHERE r.email_index <> '' AND p.kind = %(email)s AND p.value_index = r.email_index)
),
fresh AS (
    UPDATE customers_importrow r
    SET state = %(created)s, content = NULL,
        customer_id = nextval(pg_get_serial_sequence('customers_customer', 'id'))
    FROM waiting w WHERE r.id = w.id
    RETURNING r.customer_id, w.*
)"""  # noqa: S608 - parts of our own


def _text(name: str) -> str:
    """Return the SQL of a text column of a new customer: what is not said is its default."""
    default = DEFAULTS.get(name, "")
    return f"COALESCE(content->'texts'->>'{name}', '{default}')"


def _said_by() -> str:
    """Return the SQL of `said_by_default` for a new customer."""
    words = [
        f"'{name}', CASE WHEN content->'texts'->>'{name}' = '{default}' THEN %(source)s::text END"
        for name, default in DEFAULTS.items()
    ]
    said = f"jsonb_strip_nulls(jsonb_build_object({', '.join(words)}))"
    names = ", ".join(f"'{name}'" for name in DEFAULTS)
    return f"CASE WHEN content->'texts' ?| ARRAY[{names}] THEN {said} ELSE '{{}}' END"


def _value(value_type: ValueType, cast: str) -> str:
    """Return the SQL of an attribute's value in the column of one type."""
    return f"CASE WHEN item->>1 = '{value_type.value}' THEN (item->>2)::{cast} END"


_PEOPLE: Final = f"""
people AS (
    INSERT INTO customers_customer (id, public_id, external_id, name_sealed, name_index,
        national_id_sealed, national_id_index, birth_date, gender, {", ".join(TEXT_FIELDS)},
        lifecycle_stage, marketing_status, personalisation_allowed, source, field_sources,
        created_at, updated_at)
    SELECT customer_id, row_key,
        CASE WHEN external_id = '#' || ltrim(row_digest, '{FLAWED}') THEN '' ELSE external_id END,
        CASE WHEN content ? 'name_index' THEN decode(content->>'name', 'base64') END,
        COALESCE(content->>'name_index', ''), decode(content->>'national_id', 'base64'),
        NULLIF(national_id_index, ''), (content->>'birth_date')::date,
        COALESCE(content->>'gender', %(unknown)s), {", ".join(map(_text, TEXT_FIELDS))},
        %(lead)s, %(open)s, true, %(source)s, {_said_by()}, %(now)s, %(now)s
    FROM fresh
),
contacts AS (
    INSERT INTO customers_contactpoint (row_key, customer_id, kind, value_sealed, value_index,
        is_primary, is_virtual_range, status, source, created_at)
    SELECT (item->>1)::uuid, customer_id, item->>0, decode(item->>2, 'base64'), item->>3,
        (item->>4)::boolean, (item->>5)::boolean, %(active)s, %(source)s, %(now)s
    FROM fresh, jsonb_array_elements(content->'contacts') item
),
attributes AS (
    INSERT INTO customers_attributevalue (customer_id, definition_id, number, text, day, flag,
        source, updated_at)
    SELECT customer_id, (%(definitions)s::jsonb->>(item->>0))::bigint,
        {_value(ValueType.NUMBER, "numeric")}, {_value(ValueType.TEXT, "text")},
        {_value(ValueType.DAY, "date")}, {_value(ValueType.FLAG, "integer::boolean")},
        %(source)s, %(now)s
    FROM fresh, jsonb_array_elements(content->'attributes') item
),
links AS (
    INSERT INTO customers_identitylink (source, external_id, customer_id, matched_by, row_digest,
        created_at)
    SELECT %(source)s, external_id, customer_id, %(by_id)s, row_digest, %(now)s FROM fresh
)"""  # noqa: S608 - parts of our own

_CREATE: Final = f"""
WITH {_WAITING}, {_PEOPLE},
words AS MATERIALIZED (
    SELECT customer_id, item->>0 AS channel, item->>1 AS purpose, (item->>2)::boolean AS is_granted,
        item->>3 AS policy_version, %(source)s::text AS source,
        %(evidence)s::text || ':' || line AS evidence,
        COALESCE((item->>4)::timestamptz, %(now)s) AS at, %(now)s::timestamptz AS now
    FROM fresh, jsonb_array_elements(content->'consents') item
    WHERE NOT COALESCE((item->>5)::boolean, false)
),
{ledger.FIRST_WORDS}
SELECT count(*) FROM fresh
"""  # noqa: S608 - parts of our own


def mark_unchanged(*, order: ApplyOrder, lines: range) -> int:
    """Mark the lone rows that were applied before and have not changed; return how many."""
    return int(_run(_UNCHANGED, order, lines).rowcount)


def create(*, order: ApplyOrder, lines: range) -> int:
    """Make customers of the lone rows of some lines that lead to nobody; return how many.

    Raises:
        IntegrityError: Somebody else created one of them meanwhile.
    """
    return int(_run(_CREATE, order, lines).fetchone()[0])


def _run(statement: str, order: ApplyOrder, lines: range) -> Any:
    cursor = connection.cursor()
    cursor.execute(
        statement,
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
            "by_id": MatchKey.EXTERNAL_ID.value,
        },
    )
    return cursor
