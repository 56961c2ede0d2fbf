-- Makes customers, with all that they consist of, of staged rows that lead to nobody yet.
WITH waiting AS MATERIALIZED (
    SELECT r.id, r.line, r.row_key, r.external_id, r.row_digest, r.national_id_index, r.content
    FROM customers_importrow r
    WHERE r.batch_id = %(batch)s AND r.state = %(staged)s AND r.is_alone
        AND r.leader_line >= %(first)s AND r.leader_line < %(end)s
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
        -- In a query of its own, so that the name of the sequence is looked up once.
        customer_id = nextval((SELECT pg_get_serial_sequence('customers_customer', 'id')))
    FROM waiting w WHERE r.id = w.id
    RETURNING r.customer_id, w.*
),
people AS (
    INSERT INTO customers_customer (id, public_id, external_id, name_sealed, name_index,
        national_id_sealed, national_id_index, birth_date, gender, province, city, occupation,
        education, marital, income_band, language, time_zone,
        lifecycle_stage, marketing_status, personalisation_allowed, source, field_sources,
        created_at, updated_at)
    SELECT customer_id, row_key,
        CASE WHEN external_id = '#' || ltrim(row_digest, %(flawed)s) THEN '' ELSE external_id END,
        CASE WHEN content ? 'name_index' THEN decode(content->>'name', 'base64') END,
        COALESCE(content->>'name_index', ''), decode(content->>'national_id', 'base64'),
        NULLIF(national_id_index, ''), (content->>'birth_date')::date,
        COALESCE(content->>'gender', %(unknown)s),
        COALESCE(content->'texts'->>'province', ''),
        COALESCE(content->'texts'->>'city', ''),
        COALESCE(content->'texts'->>'occupation', ''),
        COALESCE(content->'texts'->>'education', ''),
        COALESCE(content->'texts'->>'marital', ''),
        COALESCE(content->'texts'->>'income_band', ''),
        COALESCE(content->'texts'->>'language', %(language)s),
        COALESCE(content->'texts'->>'time_zone', %(time_zone)s),
        %(lead)s, %(open)s, true, %(source)s,
        CASE WHEN content->'texts' ?| ARRAY['language', 'time_zone']
            THEN jsonb_strip_nulls(jsonb_build_object(
                'language',
                CASE WHEN content->'texts'->>'language' = %(language)s THEN %(source)s::text END,
                'time_zone',
                CASE WHEN content->'texts'->>'time_zone' = %(time_zone)s THEN %(source)s::text END))
            ELSE '{{}}' END,
        %(now)s, %(now)s
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
        CASE WHEN item->>1 = 'number' THEN (item->>2)::numeric END,
        CASE WHEN item->>1 = 'text' THEN (item->>2)::text END,
        CASE WHEN item->>1 = 'day' THEN (item->>2)::date END,
        CASE WHEN item->>1 = 'flag' THEN (item->>2)::integer::boolean END,
        %(source)s, %(now)s
    FROM fresh, jsonb_array_elements(content->'attributes') item
),
links AS (
    INSERT INTO customers_identitylink (source, external_id, customer_id, matched_by, row_digest,
        created_at)
    SELECT %(source)s, external_id, customer_id, %(by_id)s, row_digest, %(now)s FROM fresh
),
words AS MATERIALIZED (
    SELECT customer_id, item->>0 AS channel, item->>1 AS purpose, (item->>2)::boolean AS is_granted,
        item->>3 AS policy_version, %(source)s::text AS source,
        %(evidence)s::text || ':' || line AS evidence,
        COALESCE((item->>4)::timestamptz, %(now)s) AS at, %(now)s::timestamptz AS now
    FROM fresh, jsonb_array_elements(content->'consents') item
    WHERE NOT COALESCE((item->>5)::boolean, false)
),
{first_words}
SELECT count(*) FROM fresh
