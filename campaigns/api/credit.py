"""Credit facts that the lender's own systems hand in."""

from typing import Annotated, Any

from django.http import HttpResponse
from drf_spectacular.utils import extend_schema
from msgspec import Meta, Struct
from rest_framework.request import Request

from campaigns.api.calls import WriteView, json_reply, key_parameter
from campaigns.domain.partners.contract import TokenScope
from campaigns.services.partners import own_systems
from campaigns.services.partners.idempotency import Reply
from customers.domain.credit.rows import CreditKind
from customers.domain.loans.cells import RowProblem
from customers.labels.problems import ROW_PROBLEMS
from customers.services.credit.taking import CreditImport
from loancrm.api.rendering import decode, read_body
from loancrm.kernel import clock

_MOST_ROWS = 500


class CreditFactsCall(Struct, frozen=True, forbid_unknown_fields=True):
    """Rows of one kind, with the columns that docs/credit_facts.md names for it."""

    kind: CreditKind
    rows: Annotated[
        list[dict[str, str | int | float | bool | None]], Meta(min_length=1, max_length=_MOST_ROWS)
    ]


class CreditFactRefusal(Struct, frozen=True):
    """A row that was not taken in; `index` is its place in the call."""

    index: int
    code: str
    detail: str


class CreditFactsReply(Struct, frozen=True):
    """What became of the rows: received = created + updated + unchanged + rejected."""

    received: int
    created: int
    updated: int
    unchanged: int
    rejected: int
    refusals: list[CreditFactRefusal]


class CreditFactsView(WriteView):
    """Credit facts of one kind."""

    required_scopes = [TokenScope.CREDIT_WRITE.value]

    @extend_schema(
        operation_id="create_credit_facts",
        parameters=[key_parameter(required=False)],
        request=CreditFactsCall,
        responses={200: CreditFactsReply},
    )
    def post(self, request: Request) -> HttpResponse:
        """Hand in up to 500 rows; good ones are stored, the others refused by index."""
        own_systems.require_own_system(self.partner)
        body = read_body(request)
        call = decode(body, CreditFactsCall)
        return self.write(request, body, lambda: self._store(call))

    def _store(self, call: CreditFactsCall) -> Reply:
        result = own_systems.receive_credit_facts(
            partner=self.partner,
            kind=call.kind,
            rows=[_texts(row) for row in call.rows],
            actor=self.actor,
            now=clock.now(),
        )
        return json_reply(_reply_of(result))


def _texts(row: dict[str, Any]) -> dict[str, str]:
    """Return the cells as a file would hold them: numbers written out, what is null absent."""
    return {name: _text(value) for name, value in row.items() if value is not None}


def _text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _reply_of(result: CreditImport) -> CreditFactsReply:
    return CreditFactsReply(
        received=result.rows,
        created=result.created,
        updated=result.updated,
        unchanged=result.unchanged,
        rejected=result.rejected,
        refusals=[
            CreditFactRefusal(place, code, str(ROW_PROBLEMS.label(RowProblem(code))))
            for place, code in result.rejected_lines
        ],
    )
