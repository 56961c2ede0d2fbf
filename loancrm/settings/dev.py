"""Development and the demo: debug pages, keys kept in a private file."""

from loancrm.settings import parsing
from loancrm.settings.base import *
from loancrm.settings.environment import development_secrets

# Without a usable data folder there is nowhere to keep secrets; all that is wrong is told at once.
env.refuse_if_wrong()
_kept = development_secrets(LOANCRM_VAR_DIR / "development-secrets.json")
SECRET_KEY = SECRET_KEY or _kept["LOANCRM_SECRET_KEY"]
LOANCRM_KEYS = LOANCRM_KEYS or parsing.keys(_kept["LOANCRM_KEYS"])
LOANCRM_INDEX_KEY = LOANCRM_INDEX_KEY or next(reversed(LOANCRM_KEYS.values()))
DEBUG = env.flag("LOANCRM_DEBUG", default=True)
WHITENOISE_USE_FINDERS = True
WHITENOISE_AUTOREFRESH = True
env.refuse_if_wrong()
