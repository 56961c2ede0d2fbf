import base64
import hashlib
import hmac
from uuid import uuid4

import pytest
from django.core import checks
from django.core.management import CommandError, call_command

from loancrm.kernel.models import KeyCheck, KeyRecord
from loancrm.kernel.security import crypto, keys

pytestmark = pytest.mark.django_db


def test_the_key_in_use_is_noted_with_the_tables():
    assert list(KeyRecord.objects.values_list("key_id", flat=True)) == ["t1"]
    assert keys.wrong_key_ids() == []


def test_another_key_under_the_same_id_is_refused(settings):
    settings.LOANCRM_KEYS = {"t1": bytes(32)}
    assert keys.wrong_key_ids() == ["t1"]
    with pytest.raises(keys.KeysRefused, match="t1"):
        keys.refuse_wrong_keys()
    found = checks.run_checks(tags=[checks.Tags.database], databases=["default"])
    assert "kernel.keys_wrong" in [message.id for message in found]


def test_a_new_active_key_is_added_while_the_old_one_still_opens(settings):
    settings.LOANCRM_KEYS = {"t2": bytes(32), **settings.LOANCRM_KEYS}
    keys.note_active_key()
    assert set(KeyRecord.objects.values_list("key_id", flat=True)) == {"t1", "t2"}


def test_h2_a_wrong_index_key_is_refused_by_checks_and_by_every_command_that_writes(settings):
    settings.LOANCRM_INDEX_KEY = bytes(32)
    with pytest.raises(keys.KeysRefused, match="LOANCRM_INDEX_KEY"):
        keys.refuse_wrong_keys()
    found = checks.run_checks(include_deployment_checks=True)
    assert "kernel.keys_wrong" in [message.id for message in found]
    with pytest.raises(CommandError, match=r"^keys_wrong: .*LOANCRM_INDEX_KEY"):
        call_command("refresh_lifecycle")
    with pytest.raises(CommandError, match=r"^keys_wrong: "):
        call_command("derive_relationships")


def test_a_wrong_secret_key_is_refused_and_a_former_one_that_is_still_read_is_not(settings):
    former = settings.SECRET_KEY
    settings.SECRET_KEY = "another secret key of fifty characters and some more"
    assert keys.wrong_settings() == ["LOANCRM_SECRET_KEY"]
    settings.SECRET_KEY_FALLBACKS = [former]
    assert keys.wrong_settings() == []
    keys.note_active_key()
    settings.SECRET_KEY_FALLBACKS = []
    assert keys.wrong_settings() == []


def test_noting_the_keys_of_a_database_never_replaces_one_that_differs(settings):
    noted = dict(KeyCheck.objects.values_list("name", "digest"))
    settings.LOANCRM_INDEX_KEY = bytes(32)
    with pytest.raises(keys.KeysRefused):
        keys.note_active_key()
    assert dict(KeyCheck.objects.values_list("name", "digest")) == noted


def test_a_value_opens_only_in_its_own_column_and_row():
    vault = crypto.vault()
    mine = uuid4()
    sealed = vault.seal("customers.customer.name", mine, "王小明")
    assert vault.open("customers.customer.name", mine, sealed) == "王小明"
    assert "王小明".encode() not in sealed
    with pytest.raises(crypto.CipherRefused):
        vault.open("customers.customer.national_id", mine, sealed)
    with pytest.raises(crypto.CipherRefused):
        vault.open("customers.customer.name", uuid4(), sealed)
    changed = sealed[:-1] + bytes([sealed[-1] ^ 1])
    with pytest.raises(crypto.CipherRefused):
        vault.open("customers.customer.name", mine, changed)


def test_blind_indexes_differ_by_column_and_key(settings):
    vault = crypto.vault()
    index = vault.blind_index("a", "+8613800000000")
    assert index == vault.blind_index("a", "+8613800000000")
    assert index != vault.blind_index("b", "+8613800000000")
    settings.LOANCRM_INDEX_KEY = base64.b64decode("A" * 43 + "=")
    assert crypto.vault().blind_index("a", "+8613800000000") != index


@pytest.mark.parametrize("length", [16, 32, 64, 100])
def test_a_blind_index_is_half_of_hmac_sha256(length):
    key = bytes(range(length))
    vault = crypto.Vault({"k": bytes(32)}, key)
    whole = hmac.new(key, "列\x00值".encode(), hashlib.sha256).hexdigest()
    assert vault.blind_index("列", "值") == whole[:32]
