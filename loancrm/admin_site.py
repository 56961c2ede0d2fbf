"""The bilingual admin site."""

from django.contrib.admin.apps import AdminConfig
from unfold.sites import UnfoldAdminSite


class LoancrmAdminSite(UnfoldAdminSite):
    """One admin site for all apps."""


class LoancrmAdminConfig(AdminConfig):
    """Django's admin with our site as the default one."""

    default_site = "loancrm.admin_site.LoancrmAdminSite"
