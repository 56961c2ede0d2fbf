"""The app's pages in the admin."""

from customers.admin import customers as customers
from customers.admin import duplicate_searches as duplicate_searches
from customers.admin import exports as exports
from customers.admin import imports as imports
from customers.admin import mappings as mappings
from customers.admin import merges as merges
from customers.admin import privacy as privacy
from customers.admin import reference as reference
from customers.admin import segments as segments
from customers.admin import sources as sources
