"""Keys of new rows, drawn many at a time."""

from itertools import islice
from uuid import RFC_4122

from loancrm.kernel.security.row_keys import row_keys


def test_keys_are_random_uuids_and_come_once() -> None:
    # More than one draw.
    keys = [*islice(row_keys(), 600), *islice(row_keys(), 600)]
    assert len(set(keys)) == 1_200
    assert {(key.version, key.variant) for key in keys} == {(4, RFC_4122)}


def test_every_other_bit_is_random() -> None:
    seen_set = seen_clear = 0
    for key in islice(row_keys(), 600):
        seen_set |= key.int
        seen_clear |= ~key.int
    fixed = (0xF << 76) | (0x3 << 62)
    everything = (1 << 128) - 1
    # That a bit comes up alike 600 times has a chance of 2 ** -599.
    assert seen_set & everything | fixed == everything
    assert seen_clear & everything | fixed == everything
