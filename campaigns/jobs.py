"""Names of this app's background jobs."""

from loancrm.kernel.jobs import Job

# Ticks and confirmations wait behind no bulk campaign.
TICK = Job("campaigns.tick", queue="default")
DRAIN = Job("campaigns.drain", queue="dispatch")
FORGET_API_LEFTOVERS = Job("campaigns.forget_api_leftovers", queue="default")
PUBLISH_CLICKS = Job("campaigns.publish_clicks", queue="receipts")
STOP_COMPLAINERS = Job("campaigns.stop_complainers", queue="default")
SEND_CONFIRMATIONS = Job("campaigns.send_confirmations", queue="default")
ASK_PROVIDERS = Job("campaigns.ask_providers", queue="receipts")
MAIL_OPERATORS = Job("campaigns.mail_operators", queue="default")
NOTIFY_PEOPLE = Job("campaigns.notify_people", queue="default")
VERIFY_AUDIT = Job("campaigns.verify_audit", queue="default")
VERIFY_LEDGER = Job("campaigns.verify_ledger", queue="default")
FORGET_TEXTS = Job("campaigns.forget_texts", queue="default")
FORGET_VALUES = Job("campaigns.forget_values", queue="default")
WATCH_HARM = Job("campaigns.watch_harm", queue="default")
RETRY_RECEIPTS = Job("campaigns.retry_receipts", queue="receipts")
END_FILINGS = Job("campaigns.end_filings", queue="default")
FOLLOW_TRIGGERS = Job("campaigns.follow_triggers", queue="default")
DECIDE_TESTS = Job("campaigns.decide_tests", queue="default")
