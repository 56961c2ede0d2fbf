-- `apply_reported_consents` for one word each of people made in the same statement: parts of a WITH.
-- They stand in its part `words`, with the time of the word and the time it is now.
first_records AS (
    INSERT INTO customers_consentrecord (customer_id, channel, purpose, is_granted, policy_version,
        source, evidence, at, recorded_at)
    SELECT customer_id, channel, purpose, is_granted, policy_version, source, evidence, at, now
    FROM words
),
first_states AS (
    INSERT INTO customers_consentstate (customer_id, channel, purpose, is_granted, source,
        changed_at)
    SELECT customer_id, channel, purpose, is_granted, source, LEAST(at, now) FROM words
)
