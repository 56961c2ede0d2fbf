"""What the codes of single items say to a person."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from campaigns.domain.partners.contract import ItemCode, ItemFault
from campaigns.domain.requests.call import RowCode
from customers.domain.values.quality import Code
from loancrm.api.errors import ItemError

DETAILS: Mapping[str, Any] = {
    ItemCode.MALFORMED: gettext_lazy("The item does not have the documented shape."),
    Code.IDENTITY_MISSING: gettext_lazy(
        "A phone number, an e-mail address or a national id is needed."
    ),
    ItemCode.REFERENCE_TAKEN: gettext_lazy("The reference belongs to another lead of yours."),
    ItemCode.LEAD_NOT_FOUND: gettext_lazy("You have no such lead."),
    ItemCode.LEAD_IS_DUPLICATE: gettext_lazy("The lead is a duplicate; its events are not taken."),
    ItemCode.LEAD_MISSING: gettext_lazy("Name the lead by lead_id or by reference."),
    ItemCode.EVENT_NOT_REPORTABLE: gettext_lazy("Partners do not report events of this name."),
    ItemCode.TIME_IMPLAUSIBLE: gettext_lazy("The time lies in the future or too far back."),
    ItemCode.AMOUNT_INVALID: gettext_lazy("The amount is not a plausible number of yuan."),
    ItemCode.PROPERTIES_INVALID: gettext_lazy("The properties are too large or hold a NUL."),
    Code.VALUE_MISSING: gettext_lazy("A granted consent needs its evidence."),
    RowCode.PERSON_MISSING: gettext_lazy("Name the person by customer, phone or email."),
    RowCode.PERSON_TOLD_TWICE: gettext_lazy("Name the person in one way only."),
    RowCode.UNKNOWN_CUSTOMER: gettext_lazy(
        "No customer is known by this; nobody is written to whom the lender does not know."
    ),
    RowCode.ADDRESS_OF_OTHER_CHANNEL: gettext_lazy(
        "The template is sent through another channel than this address is for."
    ),
    RowCode.DUPLICATE_CUSTOMER: gettext_lazy("An earlier row of the call is to the same person."),
    RowCode.VARIABLE_MISSING: gettext_lazy("The template needs a value for this."),
    RowCode.VARIABLE_UNDECLARED: gettext_lazy("The template declares no variable of this name."),
    RowCode.VARIABLE_INVALID: gettext_lazy(
        "A value has up to 200 characters and no line break or control character."
    ),
    RowCode.VARIABLE_WORDS: gettext_lazy(
        "The value holds words that a message of this kind may not say."
    ),
    ItemCode.CUSTOMER_NOT_FOUND: gettext_lazy("No customer has this id."),
    ItemCode.CAMPAIGN_NOT_FOUND: gettext_lazy("No such campaign is shared with you."),
    Code.PURPOSE_REFUSED: gettext_lazy("Your contract does not cover consents for this purpose."),
    Code.PHONE_INVALID: gettext_lazy("This is not a phone number."),
    Code.PHONE_DIGITS_LOST: gettext_lazy("A spreadsheet cut digits off the phone number."),
    Code.EMAIL_INVALID: gettext_lazy("This is not an e-mail address."),
    Code.ID_FORMAT: gettext_lazy("A national id has 18 characters."),
    Code.ID_CHECKSUM: gettext_lazy("The check digit of the national id is wrong."),
    Code.ID_DATE: gettext_lazy("The birth date in the national id is impossible."),
    Code.ID_REGION: gettext_lazy("The region in the national id does not exist."),
    Code.NAME_INVALID: gettext_lazy("The name has no letter."),
    Code.DATE_INVALID: gettext_lazy("This is not a date."),
    Code.DATE_AMBIGUOUS: gettext_lazy("Day and month of this date can be told in two ways."),
    Code.BIRTH_FUTURE: gettext_lazy("The birth date lies in the future."),
    Code.BIRTH_IMPLAUSIBLE: gettext_lazy("The birth date is too far back."),
    Code.BIRTH_CONFLICT: gettext_lazy("The birth date differs from that of the national id."),
    Code.GENDER_INVALID: gettext_lazy("The gender is none of the known words."),
    Code.GENDER_CONFLICT: gettext_lazy("The gender differs from that of the national id."),
    Code.TEXT_TOO_LONG: gettext_lazy("The text is too long."),
}


def item_errors(faults: Sequence[ItemFault]) -> list[ItemError]:
    """Return the faults of an item with a sentence each, in the request's language."""
    return [
        ItemError(
            code=fault.code,
            detail=str(DETAILS.get(fault.code, _("The value is not valid."))),
            field=fault.field,
        )
        for fault in faults
    ]
