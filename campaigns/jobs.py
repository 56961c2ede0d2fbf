"""Names of this app's background jobs."""

from loancrm.kernel.jobs import Job

TICK = Job("campaigns.tick", queue="dispatch")
DRAIN = Job("campaigns.drain", queue="dispatch")
FORGET_API_LEFTOVERS = Job("campaigns.forget_api_leftovers", queue="default")
PUBLISH_CLICKS = Job("campaigns.publish_clicks", queue="receipts")
SEND_CONFIRMATIONS = Job("campaigns.send_confirmations", queue="dispatch")
RETRY_RECEIPTS = Job("campaigns.retry_receipts", queue="receipts")
