"""Whatever a worker runs into has a reason that a held or waiting dispatch can keep."""

import pytest

from campaigns.channels.errors import ChannelBlocked, ChannelMisconfigured
from campaigns.domain.sending.states import HoldReason
from loancrm.kernel.database.errors import Trouble
from loancrm.kernel.security.keys import KeysRefused


@pytest.mark.parametrize("trouble", list(Trouble))
def test_every_trouble_of_the_database_is_a_reason(trouble: Trouble) -> None:
    assert HoldReason(trouble)


def test_errors_that_hold_a_dispatch_are_reasons() -> None:
    codes = {ChannelBlocked.code, ChannelMisconfigured.code, KeysRefused.code}
    assert codes <= {reason.value for reason in HoldReason}
