"""The app's pages in the admin."""

from analytics.admin import credit as credit
from analytics.admin import overrides as overrides
