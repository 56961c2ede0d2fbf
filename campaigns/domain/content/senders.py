"""Who a report says wrote: the address in a text, however a gateway dresses it up.

Numbers and addresses come bare, as URIs (`tel:`, `sms:`, `sip:`), with a name beside them or in
brackets, with the host or parameters of a gateway behind them.
"""

import re
import unicodedata
from urllib.parse import unquote

from customers.domain.values.emails import parse_email
from customers.domain.values.quality import ValueRefused
from loancrm.kernel.phones import PhoneRefused, parse_phone

# Digits and what people write between them; part of a word or of a longer number is no number.
_NUMBER = re.compile(r"(?<![A-Za-z0-9_.+])\+?\d[\d\s\-().·]{4,}\d(?![A-Za-z0-9_])", re.ASCII)
_AROUND = r"\s<>()\[\],;:\"“”‘’「」《》【】、，。；：？?"
_ADDRESS = re.compile(rf"[^{_AROUND}]+@[^{_AROUND}]+")
# What stands behind the number of a URI: host, parameters, the words of a message.
_BEHIND = re.compile("[@;?]")


def number_in(text: str) -> str:
    """Return the one number in a text in E.164 form.

    Raises:
        PhoneRefused: There is none, or there are two.
    """
    try:
        return parse_phone(text).e164
    except PhoneRefused:
        found = {
            number
            for part in _NUMBER.findall(_BEHIND.split(_readable(text))[0])
            if (number := _number(part))
        }
        if len(found) != 1:
            raise
    return found.pop()


def mailbox_in(text: str) -> str:
    """Return the one e-mail address in a text, in the form that is stored and compared.

    Raises:
        ValueRefused: There is none, or there are two.
    """
    try:
        return parse_email(text)
    except ValueRefused:
        found = {
            mailbox for part in _ADDRESS.findall(_readable(text)) if (mailbox := _mailbox(part))
        }
        if len(found) != 1:
            raise
    return found.pop()


def _readable(text: str) -> str:
    return unicodedata.normalize("NFKC", unquote(text))


def _number(part: str) -> str:
    # Without a plus the number of another country stands as it is dialled from anywhere.
    for form in (part, f"+{''.join(filter(str.isdigit, part))}"):
        try:
            return parse_phone(form).e164
        except PhoneRefused:
            continue
    return ""


def _mailbox(part: str) -> str:
    try:
        return parse_email(part)
    except ValueRefused:
        return ""
