import hashlib

import pytest

from customers.domain.segments.buckets import BUCKETS, bucket_of, first_hash_of


def test_c12_a_bucket_is_the_hundredth_of_the_hash_of_salt_and_key():
    for key in (1, 2, 99, 123_456_789):
        hashed = int(
            hashlib.md5(f"bucket:{key}".encode(), usedforsecurity=False).hexdigest()[:8], 16
        )
        assert bucket_of(key, salt="bucket") == int(hashed / 2**32 * 100)
    assert [bucket_of(key, salt="bucket") for key in (1, 2, 3)] == [80, 44, 95]


@pytest.mark.parametrize("salt", ["bucket", "bucket_b", "bucket_c"])
def test_c12_buckets_are_uniform_by_chi_square(salt):
    counts = [0] * BUCKETS
    for key in range(1, 100_001):
        counts[bucket_of(key, salt=salt)] += 1
    chi_square = sum((count - 1000) ** 2 / 1000 for count in counts)
    # 99 degrees of freedom: the middle 99.9 % lie between 56 and 155.
    assert 56 < chi_square < 155


def test_c12_divisions_of_two_salts_are_independent():
    both = sum(
        bucket_of(key, salt="bucket") < 50 and bucket_of(key, salt="bucket_b") < 50
        for key in range(1, 40_001)
    )
    assert abs(both - 10_000) < 350  # 4 standard deviations


def test_the_bounds_of_buckets_cover_every_hash_once():
    assert first_hash_of(0) == "00000000"
    assert first_hash_of(BUCKETS) is None
    for bucket in range(1, BUCKETS):
        lowest = int(first_hash_of(bucket) or "", 16)
        assert lowest * BUCKETS // 2**32 == bucket
        assert (lowest - 1) * BUCKETS // 2**32 == bucket - 1
