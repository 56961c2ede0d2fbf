"""How often a password may be tried, by account and by address.

A try is counted before the password is looked at, in one conditional statement, so that tries made
at the same moment cannot slip past; a right password gives its own try back. Everything is keyed by
what was typed, never by whether such an account exists: both answer alike. What was typed is never
stored, only keyed digests of it (people type passwords into the wrong field).

- *pair*: one account from one address. Enough for typing errors; locks nobody out elsewhere.
- *address*: one address over all accounts, against one password tried on everybody.
- *account*: one account from all addresses. Beyond it one try a minute is let in, so that a person
  is slowed down and not locked out, and addresses from which this account has been signed in to
  lately are not concerned: nobody who lacks the password can shut its owner out.
"""

import math
from dataclasses import dataclass

from django.db.models import F, Q

from loancrm.kernel.database import shared_clock
from loancrm.kernel.database.shared_clock import Moment
from loancrm.kernel.models import SignInTally
from loancrm.kernel.security import crypto

KNOWN_ADDRESS_SECONDS = 30 * 86_400
KEPT_SECONDS = 86_400


@dataclass(frozen=True, slots=True)
class Limit:
    """So many failures until `seconds` have passed since the last of them."""

    kind: str
    failures: int
    seconds: int


PAIR = Limit("pair", 5, 900)
ADDRESS = Limit("address", 100, 900)
ACCOUNT = Limit("account", 20, 3600)
ACCOUNT_SLOW = Limit("account-slow", 1, 60)


@dataclass(frozen=True, slots=True)
class Try:
    """A try that was let in or refused; `wait_seconds` is 0 where it was let in."""

    pair: str
    counted: tuple[str, ...]
    wait_seconds: int = 0

    @property
    def is_allowed(self) -> bool:
        """Return whether the password may be looked at."""
        return self.wait_seconds == 0


def begin(*, name: str, address: str) -> Try:
    """Count a try of an account from an address, or refuse it."""
    account = _digest("account", name.strip().casefold())
    pair = f"pair:{_digest('pair', account + address)}"
    chain = [(PAIR, pair, account), (ADDRESS, f"address:{_digest('address', address)}", "")]
    if not _is_known(pair):
        limit = ACCOUNT_SLOW if _is_full(f"{ACCOUNT.kind}:{account}", ACCOUNT) else ACCOUNT
        chain.append((limit, f"{limit.kind}:{account}", account))
    counted: list[str] = []
    for limit, key, of_account in chain:
        if not _count(limit, key, of_account):
            _give_back(counted)
            return Try(pair=pair, counted=(), wait_seconds=_wait(key))
        counted.append(key)
    return Try(pair=pair, counted=tuple(counted))


def succeeded(tried: Try) -> None:
    """Note the right password: the pair starts anew, the try is given back elsewhere."""
    _give_back([key for key in tried.counted if key != tried.pair])
    SignInTally.objects.filter(key=tried.pair).update(failures=0, succeeded_at=Moment())


def forget_old() -> None:
    """Delete counts that no longer say anything."""
    SignInTally.objects.filter(
        Q(succeeded_at=None) | Q(succeeded_at__lt=Moment(-KNOWN_ADDRESS_SECONDS)),
        until__lt=Moment(-KEPT_SECONDS),
    ).delete()


def release(*, name: str) -> int:
    """Let an account be tried again from everywhere; return how many counts were cleared."""
    account = _digest("account", name.strip().casefold())
    return SignInTally.objects.filter(account=account, failures__gt=0).update(
        failures=0, until=Moment()
    )


def _digest(kind: str, text: str) -> str:
    return crypto.vault().blind_index(f"sign_in.{kind}", text)


def _is_known(pair: str) -> bool:
    since = Moment(-KNOWN_ADDRESS_SECONDS)
    return SignInTally.objects.filter(key=pair, succeeded_at__gt=since).exists()


def _is_full(key: str, limit: Limit) -> bool:
    return SignInTally.objects.filter(
        key=key, failures__gte=limit.failures, until__gt=Moment()
    ).exists()


def _count(limit: Limit, key: str, account: str) -> bool:
    """Add one failure, unless the limit is reached; only what is counted moves the end on."""
    until = Moment(limit.seconds)
    SignInTally.objects.bulk_create(
        [SignInTally(key=key, account=account, until=shared_clock.now())], ignore_conflicts=True
    )
    rows = SignInTally.objects.filter(key=key)
    rows.filter(failures__gt=0, until__lte=Moment()).update(failures=0)
    return bool(
        rows.filter(failures__lt=limit.failures).update(failures=F("failures") + 1, until=until)
    )


def _give_back(keys: list[str]) -> None:
    SignInTally.objects.filter(key__in=keys, failures__gt=0).update(failures=F("failures") - 1)


def _wait(key: str) -> int:
    until = SignInTally.objects.values_list("until", flat=True).get(key=key)
    return max(1, math.ceil((until - shared_clock.now()).total_seconds()))
