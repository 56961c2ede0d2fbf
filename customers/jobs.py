"""Names of this app's background jobs."""

from loancrm.kernel.jobs import Job

REFRESH_LOAN_STATES = Job("customers.refresh_loan_states", queue="analytics")
REFRESH_LIFECYCLE = Job("customers.refresh_lifecycle", queue="analytics")
DERIVE_RELATIONSHIPS = Job("customers.derive_relationships", queue="analytics")
BUILD_SEGMENTS = Job("customers.build_segments", queue="analytics")
FOLLOW_CHANGES = Job("customers.follow_changes", queue="default")
RUN_IMPORT = Job("customers.run_import", queue="imports")
FIND_DUPLICATES = Job("customers.find_duplicates", queue="analytics")
WAKE_DUPLICATE_SEARCHES = Job("customers.wake_duplicate_searches", queue="analytics")
WAKE_IMPORTS = Job("customers.wake_imports", queue="imports")
