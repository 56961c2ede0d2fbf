"""Partners: registered, given clients and shares, switched off."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime

from django.contrib.auth.models import User
from django.db import IntegrityError
from django.utils.translation import gettext as _
from oauth2_provider.models import AccessToken, Application, clear_expired

from campaigns.domain.partners.contract import TokenScope, scopes_for, source_of
from campaigns.models import Campaign, Partner
from customers.domain.sources import SourceKind, Standing, standing
from customers.models import DataSource, Segment
from customers.services.sources import registry
from loancrm.api.auth import new_client_secret
from loancrm.kernel import access
from loancrm.kernel.access import Actor
from loancrm.kernel.acting import acting
from loancrm.kernel.errors import LoanCrmError
from loancrm.kernel.security import grants

MANAGE = "campaigns.change_partner"
SEGMENT_PERMISSIONS = ("customers.view_segment",)
CAMPAIGN_PERMISSIONS = ("campaigns.view_campaign", "campaigns.view_report")


class PartnerExists(LoanCrmError):
    """A partner of this slug is registered already."""

    code = "partner_exists"


class PartnerInactive(LoanCrmError):
    """The partner is switched off, its contract has ended, or the user is no partner's."""

    code = "partner_inactive"


class ScopeRefused(LoanCrmError):
    """What is to be allowed is the lender's own systems' alone."""

    code = "scope_refused"


class ShareUnknown(LoanCrmError):
    """There is no campaign or segment of this slug."""

    code = "share_unknown"


@dataclass(frozen=True, slots=True)
class ClientCredentials:
    """A client's id and its secret, which is shown once and stored only as a hash."""

    client_id: str
    client_secret: str = field(repr=False)


def register_partner(  # noqa: PLR0913 - what a contract says
    *,
    actor: Actor,
    slug: str,
    name: str,
    now: datetime,
    kind: SourceKind = SourceKind.PARTNER,
    scopes: Sequence[TokenScope] | None = None,
    contract_ends_on: date | None = None,
    shared: Sequence[Campaign | Segment] = (),
) -> tuple[Partner, ClientCredentials]:
    """Register a partner with its service user, first client and what it may read.

    Args:
        kind: Of its data source: another company, or a system of the lender's own.
        scopes: What its clients may do; None for everything that the kind allows.

    Raises:
        PermissionRefused: The actor may not manage partners.
        PartnerExists: The slug is taken.
        ScopeRefused: A scope is the lender's own systems'.
    """
    act = acting(actor, MANAGE, now=now)
    possible = scopes_for(kind)
    granted = possible if scopes is None else tuple(scopes)
    if refused := [scope.value for scope in granted if scope not in possible]:
        raise ScopeRefused(
            _("Only systems of the lender's own may have %(scopes)s.")
            % {"scopes": ", ".join(refused)}
        )
    try:
        with act:
            user = User(username=f"partner:{slug}", first_name=name[:150], is_active=True)
            user.set_unusable_password()
            user.save(force_insert=True)
            # An import may have named the partner before it was registered.
            known = DataSource.objects.filter(name=source_of(slug)).first()
            source = known or DataSource(name=source_of(slug))
            source.title, source.kind = name, kind
            source.valid_until = contract_ends_on
            partner = Partner.objects.create(
                slug=slug,
                name=name,
                user=user,
                data_source=registry.save_source(actor=actor, source=source, now=now),
                scopes=[scope.value for scope in granted],
                created_at=now,
            )
            credentials = _new_client(partner)
            act.record(
                "partner_registered",
                on=partner,
                facts={"scopes": partner.scopes, "client_id": credentials.client_id},
            )
            for item in shared:
                share(actor=actor, partner=partner, shared=item, now=now)
    except IntegrityError as error:
        raise PartnerExists(
            _("There is a partner %(slug)s already.") % {"slug": slug}, slug=slug
        ) from error
    return partner, credentials


def add_client(*, actor: Actor, partner: Partner, now: datetime) -> ClientCredentials:
    """Give a partner a further client; the old one works until it is removed."""
    with acting(actor, MANAGE, now=now) as act:
        credentials = _new_client(partner)
        act.record("partner_client_added", on=partner, facts={"client_id": credentials.client_id})
    return credentials


def remove_client(*, actor: Actor, partner: Partner, client_id: str, now: datetime) -> int:
    """Remove a client and every token it holds; return how many clients were removed."""
    with acting(actor, MANAGE, now=now) as act:
        clients = Application.objects.filter(user=partner.user, client_id=client_id)
        AccessToken.objects.filter(application__in=clients).delete()
        removed: int = clients.count()
        clients.delete()
        act.record(
            "partner_client_removed", on=partner, facts={"client_id": client_id, "removed": removed}
        )
    return removed


def set_active(
    *, actor: Actor, partner: Partner, is_active: bool, now: datetime, reason: str = ""
) -> None:
    """Switch a partner on or off; off takes effect on the next request of every token."""
    with acting(actor, MANAGE, now=now) as act:
        Partner.objects.filter(pk=partner.pk).update(is_active=is_active)
        User.objects.filter(pk=partner.user_id).update(is_active=is_active)
        act.record(
            "partner_switched_on" if is_active else "partner_switched_off",
            on=partner,
            reason=reason,
        )


def share(*, actor: Actor, partner: Partner, shared: Campaign | Segment, now: datetime) -> None:
    """Let a partner see a campaign with its report, or count a segment."""
    access.require(actor, MANAGE)
    grants.give(
        actor=actor, to=partner.user, permissions=_permissions_on(shared), obj=shared, now=now
    )


def unshare(*, actor: Actor, partner: Partner, shared: Campaign | Segment, now: datetime) -> None:
    """Take a share back."""
    access.require(actor, MANAGE)
    grants.take(
        actor=actor, of=partner.user, permissions=_permissions_on(shared), obj=shared, now=now
    )


def named_share(name: str) -> Campaign | Segment:
    """Return the object that `campaign:SLUG` or `segment:SLUG` names.

    Raises:
        ShareUnknown: There is none.
    """
    kind, __, slug = name.partition(":")
    found: Campaign | Segment | None = None
    if kind == "campaign":
        found = Campaign.objects.filter(slug=slug).first()
    elif kind == "segment":
        found = Segment.objects.filter(slug=slug).first()
    if found is None:
        raise ShareUnknown(_("There is no %(name)s.") % {"name": name}, name=name)
    return found


def active_partner_of(*, user: User, today: date) -> Partner:
    """Return the active partner whose service user this is.

    Raises:
        PartnerInactive: There is none, it is switched off, or its contract ended before today.
    """
    partner = Partner.objects.select_related("user", "data_source").filter(user=user).first()
    if partner is None or not is_active_on(partner, today):
        raise PartnerInactive(_("The partnership is not active."))
    return partner


def is_active_on(partner: Partner, today: date) -> bool:
    """Return whether the partner may use the API on a day."""
    in_force = standing(partner.data_source.terms, today=today) is Standing.IN_FORCE
    return partner.is_active and partner.user.is_active and in_force


def forget_expired_tokens() -> None:
    """Delete access tokens that are past their time; by the token library's own clock."""
    clear_expired()


def _permissions_on(shared: Campaign | Segment) -> tuple[str, ...]:
    return CAMPAIGN_PERMISSIONS if isinstance(shared, Campaign) else SEGMENT_PERMISSIONS


def _new_client(partner: Partner) -> ClientCredentials:
    secret = new_client_secret()
    client = Application.objects.create(
        name=partner.slug,
        user=partner.user,
        client_type=Application.CLIENT_CONFIDENTIAL,
        authorization_grant_type=Application.GRANT_CLIENT_CREDENTIALS,
        client_secret=secret,
    )
    return ClientCredentials(client_id=client.client_id, client_secret=secret)
