"""What a draft lacks, from what is known of it."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from campaigns.domain.campaigns.drafts import DraftFacts, DraftGap, gaps

NOW = datetime(2026, 3, 2, tzinfo=UTC)
WHOLE = DraftFacts(has_segment=True, channels_on=[True], text_count=1, start_at=None)


@pytest.mark.parametrize(
    ("change", "missing"),
    [
        ({}, ()),
        ({"start_at": NOW}, ()),
        ({"start_at": NOW - timedelta(seconds=1)}, (DraftGap.START_PASSED,)),
        ({"has_segment": False}, (DraftGap.NO_SEGMENT,)),
        ({"text_count": 0}, (DraftGap.NO_MESSAGE,)),
        ({"channels_on": []}, (DraftGap.NO_MESSAGE,)),
        ({"channels_on": [True, None]}, (DraftGap.NO_CHANNEL,)),
        ({"channels_on": [False, True]}, (DraftGap.CHANNEL_OFF,)),
    ],
)
def test_a_draft_says_what_it_lacks(change, missing):
    assert gaps(replace(WHOLE, **change), now=NOW) == missing
