"""Names of this app's background jobs and of its kinds of long work."""

from typing import Final

from loancrm.kernel.jobs import Job

REFRESH_LOAN_STATES = Job("customers.refresh_loan_states", queue="analytics")
REFRESH_LIFECYCLE = Job("customers.refresh_lifecycle", queue="analytics")
DERIVE_RELATIONSHIPS = Job("customers.derive_relationships", queue="analytics")
BUILD_SEGMENTS = Job("customers.build_segments", queue="analytics")
FOLLOW_CHANGES = Job("customers.follow_changes", queue="default")
RUN_IMPORT = Job("customers.run_import", queue="imports")
FIND_DUPLICATES = Job("customers.find_duplicates", queue="analytics")
REFRESH_CREDIT_FACTS = Job("customers.refresh_credit_facts", queue="analytics")
CLEAR_IMPORTS = Job("customers.clear_imports", queue="imports")
CLEAR_HISTORY = Job("customers.clear_history", queue="analytics")

IMPORT: Final = "customers.import"
IMPORT_UNDO: Final = "customers.import_undo"
DUPLICATE_SEARCH: Final = "customers.duplicate_search"
