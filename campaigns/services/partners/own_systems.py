"""What only the lender's own systems may do through the API."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from campaigns.models import Partner
from customers.domain.credit.rows import CreditKind
from customers.domain.sources import SourceKind
from customers.services.credit import taking
from customers.services.credit.taking import CreditImport
from loancrm.kernel.access import Actor, system_actor
from loancrm.kernel.acting import AdmittedBy, acting
from loancrm.kernel.errors import LoanCrmError
from loancrm.kernel.words.phrases import gettext as _

_BY_SCOPE = AdmittedBy("the scope of the system's token")


class NotOwnSystem(LoanCrmError):
    """The partner is another company, not a system of the lender's own."""

    code = "not_own_system"


def require_own_system(partner: Partner) -> None:
    """Refuse whoever is not a system of the lender's own.

    Raises:
        NotOwnSystem: The partner is another company, or its data source was made another kind.
    """
    if partner.data_source.kind != SourceKind.OWN_SYSTEM:
        raise NotOwnSystem(_("Only systems of the lender's own may do this."))


def receive_credit_facts(
    *,
    partner: Partner,
    kind: CreditKind,
    rows: Sequence[Mapping[str, Any]],
    actor: Actor,
    now: datetime,
) -> CreditImport:
    """Take in what a system of the lender's own knows of people's credit.

    The external ids of customers are those of the system's own source.

    Raises:
        NotOwnSystem: See there.
        SourceBarred: The system's source may not hand in data now.
    """
    act = acting(actor, _BY_SCOPE, on=partner, now=now)
    require_own_system(partner)
    with act:
        result = taking.receive_credit_facts(
            actor=system_actor(f"partner:{partner.pk}"),
            kind=kind,
            rows=rows,
            source=partner.data_source.name,
            now=now,
        )
        act.record("credit_facts.hand_in", facts={"kind": kind.value, "rows": result.rows})
    return result
