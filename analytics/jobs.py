"""Names of this app's background jobs."""

from loancrm.kernel.jobs import Job

VALUE_CUSTOMERS = Job("analytics.value_customers", queue="analytics")
