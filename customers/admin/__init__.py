"""The app's pages in the admin."""

from customers.admin.identity import duplicate_searches as duplicate_searches
from customers.admin.identity import merges as merges
from customers.admin.imports import batches as batches
from customers.admin.imports import mappings as mappings
from customers.admin.privacy import bureau_pulls as bureau_pulls
from customers.admin.privacy import requests as requests
from customers.admin.privacy import unclear_consents as unclear_consents
from customers.admin.profile import customers as customers
from customers.admin.reference import fees as fees
from customers.admin.reference import products as products
from customers.admin.reference import sources as sources
from customers.admin.segments import exports as exports
from customers.admin.segments import pages as pages
