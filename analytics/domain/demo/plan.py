"""The demo's timetable and the names in it."""

from datetime import datetime, timedelta
from uuid import NAMESPACE_URL, UUID, uuid5
from zoneinfo import ZoneInfo

ZONE = ZoneInfo("Asia/Shanghai")
# A Monday morning; fixed, so that the demo tells the same story on every day.
STARTS_AT = datetime(2026, 1, 12, 10, 0, tzinfo=ZONE)
PREPARES_AT = STARTS_AT - timedelta(minutes=30)
RETENTION_AT = STARTS_AT + timedelta(days=2)
# Loans of the first days are six months on book by then, not yet nine.
ENDS_AT = STARTS_AT + timedelta(days=245)
HISTORY = "new-year-greeting"
HISTORY_AT = STARTS_AT - timedelta(days=1, hours=16)

SMS = "demo-sms"
EMAIL = "demo-email"
ACQUISITION = "first-loan-sms"
RETENTION = "on-time-thanks"
WIN_BACK = "come-back"
CALLS = "autumn-calls"
# The segment of the first campaign, and of the one to approve where no model chooses.
WITHOUT_LOAN = "active-without-loan"
TO_APPROVE = "first-loan-sms-2"
CAMPAIGNS = (ACQUISITION, RETENTION, WIN_BACK)
# One that runs again by its calendar, twice, and one that waits for people who begin to apply.
WEEKLY = "weekly-tips"
UNFINISHED = "unfinished-application"
FURTHER = (WEEKLY, UNFINISHED)
WEEKLY_AT = (STARTS_AT + timedelta(days=7), STARTS_AT + timedelta(days=14))
STARTED_AT = WEEKLY_AT[0] + timedelta(hours=1)
# By then the delay of the campaign is over.
REMINDED_AT = STARTED_AT + timedelta(minutes=35)


def salt_of(slug: str) -> UUID:
    """Return the salt that deals people to variants and control group, the same in every run."""
    return uuid5(NAMESPACE_URL, f"https://example.com/demo/{slug}")
