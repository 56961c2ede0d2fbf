from datetime import UTC, datetime

import pytest

from campaigns.channels.http_answers import seconds_of

NOW = datetime(2026, 3, 4, 2, 0, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("60", 60),
        ("0.5", 0.5),
        (" 7 ", 7),
        ("Wed, 04 Mar 2026 02:02:00 GMT", 120),
        ("Wed, 04 Mar 2026 01:00:00 GMT", 0),
        ("Thu, 05 Mar 2026 02:00:00 GMT", 3600),
        ("99999999", 3600),
        ("-5", 0),
        ("nan", 5),
        ("soon", 5),
        ("", 5),
        (None, 5),
    ],
)
def test_a3_a_retry_after_is_read_in_both_of_its_forms_and_capped(header, seconds):
    assert seconds_of(header, now=NOW) == seconds
