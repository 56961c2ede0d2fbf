"""Arguments that the campaign commands share."""

from collections.abc import Mapping
from typing import Any

from django.contrib.auth.models import User
from django.core.management.base import CommandError, CommandParser

from campaigns.models import Campaign
from loancrm.kernel.access import Actor, system_actor, user_actor


def add_campaign(parser: CommandParser) -> None:
    """Add the campaign's slug and --json."""
    parser.add_argument("slug", help="the campaign's short name")
    parser.add_argument("--json", action="store_true")


def campaign_of(options: Mapping[str, Any]) -> Campaign:
    """Return the named campaign."""
    campaign = (
        Campaign.objects.select_related("segment__current_version")
        .filter(slug=options["slug"])
        .first()
    )
    if campaign is None:
        raise CommandError(f"campaign_unknown: {options['slug']}")
    return campaign


def user_of(username: str) -> User:
    """Return the named user."""
    user = User.objects.filter(username=username).first()
    if user is None:
        raise CommandError(f"user_unknown: {username}")
    return user


def actor_of(options: Mapping[str, Any], command: str) -> Actor:
    """Return the user of --as, else the command itself."""
    username = options.get("username")
    return user_actor(user_of(username)) if username else system_actor(f"command:{command}")
