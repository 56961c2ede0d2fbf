"""The register of sources: who may hand in data, and the check at every door."""

from datetime import date, datetime

from django.conf import settings

from customers import labels
from customers.domain.consents.consent import Purpose
from customers.domain.sources import (
    SourceKind,
    SourceTerms,
    Standing,
    check_terms,
    days_left,
    standing,
)
from customers.models import DataSource
from loancrm.kernel import clock
from loancrm.kernel.access import Actor
from loancrm.kernel.acting import Act, AdmittedBy, acting
from loancrm.kernel.errors import LoanCrmError
from loancrm.kernel.words.phrases import gettext as _

ADD = "customers.add_datasource"
CHANGE = "customers.change_datasource"
_AS_DATA_ARRIVES = AdmittedBy("the service through which the source hands in its data")


class SourceUnknown(LoanCrmError):
    """Nobody registered this source, and this installation takes in registered ones only."""

    code = "source_unknown"


class SourceBarred(LoanCrmError):
    """The source's contract is not in force; `standing` says why, `field` is `source`."""

    code = "source_barred"


class SourceTermsRefused(LoanCrmError):
    """The description of a source is wrong; `problems` says where."""

    code = "source_terms_refused"


def admit(
    *,
    actor: Actor,
    name: str,
    now: datetime,
    kind: SourceKind = SourceKind.UNREGISTERED,
    is_dry_run: bool = False,
) -> SourceTerms:
    """Let a source hand in data, or say why it may not.

    A name that nobody registered is written into the register, with an audit entry, so that
    somebody can describe it; with LOANCRM_REGISTERED_SOURCES_ONLY it is refused. For a service that
    checks the permission itself. Contracts are counted in days of the company's zone.

    Args:
        kind: What a source that is not registered yet is.
        is_dry_run: Register nothing.

    Raises:
        SourceUnknown: See above.
        SourceBarred: The contract has not begun or has ended, or the source is switched off.
    """
    row = DataSource.objects.filter(name=name).first()
    if row is None:
        if kind is SourceKind.UNREGISTERED and settings.LOANCRM_REGISTERED_SOURCES_ONLY:
            raise SourceUnknown(
                _("The source %(name)s is not registered.") % {"name": name},
                source=name,
                field="source",
            )
        fresh = DataSource(name=name, kind=kind, created_at=now)
        return fresh.terms if is_dry_run else _registered(fresh, actor, now).terms
    found = standing(row.terms, today=now.astimezone(clock.company_zone()).date())
    if found is not Standing.IN_FORCE:
        raise SourceBarred(
            _("The source %(name)s may not hand in data: %(reason)s.")
            % {"name": name, "reason": labels.SOURCE_STANDINGS.phrase(found)},
            source=name,
            field="source",
            standing=found.value,
        )
    return row.terms


def notice_of(*, name: str, today: date) -> str:
    """Return what whoever uses a source should know about it, in words; empty for nothing."""
    row = DataSource.objects.filter(name=name).first()
    if row is None:
        return ""
    if row.kind == SourceKind.UNREGISTERED:
        return _("The source %(name)s is not described yet: kind, contract and purposes.") % {
            "name": name
        }
    left = days_left(row.terms, today=today)
    if left is None:
        return ""
    return _("The contract of %(name)s ends in %(days)s days.") % {"name": name, "days": left}


def save_source(*, actor: Actor, source: DataSource, now: datetime) -> DataSource:
    """Store a new or changed description of a source.

    Raises:
        PermissionRefused: The actor may not keep the register.
        SourceTermsRefused: The description is wrong.
    """
    is_new = source.pk is None
    act = acting(actor, ADD if is_new else CHANGE, now=now)
    known = {*Purpose}
    purposes = frozenset(Purpose(item) for item in source.purposes if item in known)
    terms = SourceTerms(
        kind=SourceKind(source.kind),
        purposes=purposes,
        contract=source.contract,
        valid_from=source.valid_from,
        valid_until=source.valid_until,
    )
    problems = check_terms(terms, purposes=source.purposes)
    if problems:
        texts = [labels.SOURCE_PROBLEMS.label(problem) for problem in problems]
        raise SourceTermsRefused(
            "; ".join(texts), problems=[problem.value for problem in problems], source=source.name
        )
    with act:
        if is_new:
            source.created_at = now
        source.save()
        _record(act, source, "added" if is_new else "changed")
    return source


def _registered(source: DataSource, actor: Actor, now: datetime) -> DataSource:
    with acting(actor, _AS_DATA_ARRIVES, now=now) as act:
        row, is_new = DataSource.objects.get_or_create(
            name=source.name, defaults={"kind": source.kind, "created_at": now}
        )
        if is_new:
            _record(act, row, "met")
        else:
            act.unchanged()
    return row


def _record(act: Act, source: DataSource, what: str) -> None:
    until = source.valid_until
    act.record(
        f"datasource.{what}",
        on=source,
        facts={
            "name": source.name,
            "kind": str(source.kind),
            "contract": source.contract,
            "purposes": list(source.purposes),
            "valid_until": until.isoformat() if until else None,
            "is_active": source.is_active,
            "quality_owner": source.quality_owner_id,
        },
    )
