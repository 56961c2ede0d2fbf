"""Names of this app's background jobs and of its kinds of long work."""

from typing import Final

from loancrm.kernel.jobs import Job

RUN_DISCOVERY = Job("analytics.run_discovery", queue="analytics")
DESCRIBE_SPENDING = Job("analytics.describe_spending", queue="analytics")
RUN_TARGETING = Job("analytics.run_targeting", queue="analytics")
DESCRIBE_CONTACT_HABITS = Job("analytics.describe_contact_habits", queue="analytics")
VALUE_CUSTOMERS = Job("analytics.value_customers", queue="analytics")
SWEEP_WARNINGS = Job("analytics.sweep_warnings", queue="analytics")
REPLAY_WARNINGS = Job("analytics.replay_warnings", queue="analytics")
FOLLOW_WARNINGS = Job("analytics.follow_warnings", queue="default")
DERIVE_LOAN_BOOK = Job("analytics.derive_loan_book", queue="analytics")
DECIDE_APPLICATIONS = Job("analytics.decide_applications", queue="analytics")
TRAIN_MODEL = Job("analytics.train_model", queue="analytics")
SCORE_MODEL = Job("analytics.score_model", queue="analytics")
SCORE_MODELS = Job("analytics.score_models", queue="analytics")
COMPARE_VERSIONS = Job("analytics.compare_versions", queue="analytics")
RETRAIN_MODELS = Job("analytics.retrain_models", queue="analytics")

DISCOVERY: Final = "analytics.discovery"
TRAINING: Final = "analytics.training"
WARNING_REPLAY: Final = "analytics.warning_replay"
TARGETING: Final = "analytics.targeting"
