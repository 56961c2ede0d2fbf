"""Names of this app's background jobs."""

from loancrm.kernel.jobs import Job

REFRESH_LOAN_STATES = Job("customers.refresh_loan_states", queue="analytics")
REFRESH_SEGMENTS = Job("customers.refresh_segments", queue="analytics")
