"""Names of this app's background jobs."""

from loancrm.kernel.jobs import Job

RUN_DISCOVERY = Job("analytics.run_discovery", queue="analytics")
WAKE_DISCOVERIES = Job("analytics.wake_discoveries", queue="analytics")
DESCRIBE_SPENDING = Job("analytics.describe_spending", queue="analytics")
VALUE_CUSTOMERS = Job("analytics.value_customers", queue="analytics")
