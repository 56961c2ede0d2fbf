"""Names of this app's background jobs."""

from loancrm.kernel.jobs import Job

TICK = Job("campaigns.tick", queue="dispatch")
DRAIN = Job("campaigns.drain", queue="dispatch")
