"""The app's pages in the admin."""

from analytics.admin import overrides as overrides
