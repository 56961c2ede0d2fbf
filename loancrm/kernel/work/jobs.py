"""Names of the jobs of long work itself; each kind has its own."""

from loancrm.kernel.jobs import Job

WAKE_WORK = Job("loancrm.wake_work", queue="default")
REMOVE_OLD_WORK = Job("loancrm.remove_old_work", queue="default")
