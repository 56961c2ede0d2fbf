"""The app's pages in the admin."""

from campaigns.admin import campaigns as campaigns
from campaigns.admin import channels as channels
from campaigns.admin import partners as partners
from campaigns.admin import receipts as receipts
from campaigns.admin import reference as reference
from campaigns.admin import replies as replies
from campaigns.admin import stops as stops
from campaigns.admin.filing import pages as pages
from campaigns.admin.requests import templates as templates
