"""Register a partner of the API, or give an existing one a further client or share."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import CommandError
from django.utils.text import slugify

from campaigns.domain.partners.contract import TokenScope
from campaigns.models import Partner
from campaigns.services.partners import contracts
from customers.domain.sources import SourceKind
from loancrm.kernel import clock
from loancrm.kernel.access import system_actor
from loancrm.kernel.commands.base import LoanCrmCommand

ACTOR = system_actor("command:create_partner")


class Command(LoanCrmCommand):
    help = "Register a partner; prints its client id and, once, its client secret."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("name", help="name of the partner")
        parser.add_argument("--slug", default="", help="short name; made from the name by default")
        parser.add_argument(
            "--scope",
            action="append",
            choices=[scope.value for scope in TokenScope],
            help="what the partner may do; repeat for several, everything by default",
        )
        parser.add_argument(
            "--own-system",
            action="store_true",
            help="it is a system of the lender's own, which may have messages sent",
        )
        parser.add_argument(
            "--share",
            action="append",
            default=[],
            metavar="campaign:SLUG|segment:SLUG",
            help="what the partner may read; repeat for several",
        )
        parser.add_argument(
            "--add",
            action="store_true",
            help="the partner exists: add the shares and, without any, a further client",
        )
        parser.add_argument("--json", action="store_true", help="print JSON")

    def handle(self, **options: Any) -> None:
        now = clock.now()
        slug = options["slug"] or slugify(options["name"])
        if not slug:
            raise CommandError(
                "slug_missing: --slug is needed: the name has no Latin letter or digit"
            )
        shared = [contracts.named_share(name) for name in options["share"]]
        credentials = None
        if options["add"]:
            partner = Partner.objects.filter(slug=slug).first()
            if partner is None:
                raise CommandError(f"partner_unknown: there is no partner {slug}")
            if not shared:
                credentials = contracts.add_client(actor=ACTOR, partner=partner, now=now)
            for item in shared:
                contracts.share(actor=ACTOR, partner=partner, shared=item, now=now)
        else:
            scopes = [TokenScope(name) for name in options["scope"]] if options["scope"] else None
            partner, credentials = contracts.register_partner(
                actor=ACTOR,
                slug=slug,
                name=options["name"],
                kind=SourceKind.OWN_SYSTEM if options["own_system"] else SourceKind.PARTNER,
                scopes=scopes,
                shared=shared,
                now=now,
            )
        content: dict[str, Any] = {
            "partner": partner.slug,
            "source": partner.source,
            "scopes": partner.scopes,
            "shared": options["share"],
        }
        if credentials:
            content["client_id"] = credentials.client_id
            content["client_secret"] = credentials.client_secret
        if options["json"]:
            self.print_json(content)
        else:
            self.stdout.write("\n".join(f"{key}: {value}" for key, value in content.items()))
