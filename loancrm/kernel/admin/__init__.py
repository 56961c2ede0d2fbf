"""Read-only admins, people and sharing; importing this registers the audit trail."""

from loancrm.kernel.admin import read_only as read_only
