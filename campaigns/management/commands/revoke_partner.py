"""Take a client that has leaked, or a share, from a partner of the API that goes on otherwise."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import CommandError
from django.db import transaction

from campaigns.models import Partner
from campaigns.services.partners import contracts
from loancrm.kernel import clock
from loancrm.kernel.access import system_actor
from loancrm.kernel.commands.base import WRONG_ARGUMENT, LoanCrmCommand

ACTOR = system_actor("command:revoke_partner")


class Command(LoanCrmCommand):
    help = "Take clients with their tokens, or shares, from a partner; at once."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("slug", help="short name of the partner")
        parser.add_argument(
            "--client",
            action="append",
            default=[],
            metavar="CLIENT_ID",
            help="a client to remove with every token it holds; repeat for several",
        )
        parser.add_argument(
            "--share",
            action="append",
            default=[],
            metavar="campaign:SLUG|segment:SLUG",
            help="what the partner may no longer read; repeat for several",
        )
        parser.add_argument("--json", action="store_true", help="print JSON")

    def handle(self, **options: Any) -> None:
        if not options["client"] and not options["share"]:
            raise CommandError(
                "nothing_to_revoke: name a --client or a --share", returncode=WRONG_ARGUMENT
            )
        partner = Partner.objects.filter(slug=options["slug"]).first()
        if partner is None:
            raise CommandError(f"partner_unknown: there is no partner {options['slug']}")
        now = clock.now()
        shared = [contracts.named_share(name) for name in options["share"]]
        with transaction.atomic():
            for client_id in options["client"]:
                if not contracts.remove_client(
                    actor=ACTOR, partner=partner, client_id=client_id, now=now
                ):
                    raise CommandError(f"client_unknown: {partner.slug} has no client {client_id}")
            for item in shared:
                contracts.unshare(actor=ACTOR, partner=partner, shared=item, now=now)
        content = {
            "partner": partner.slug,
            "clients": options["client"],
            "no_longer_shared": options["share"],
        }
        if options["json"]:
            self.print_json(content)
        else:
            self.stdout.write("\n".join(f"{key}: {value}" for key, value in content.items()))
