import pytest

from loancrm.settings import parsing


def test_f54_allowed_hosts_are_names_in_lower_case():
    assert parsing.plain_hosts("CRM-inner.example, [::1],10.0.0.5") == [
        "crm-inner.example",
        "::1",
        "10.0.0.5",
    ]


@pytest.mark.parametrize("raw", ["*", ".example.com", "https://a.example", "a.example/x", "a,,b"])
def test_f54_no_entry_stands_for_several_hosts(raw):
    with pytest.raises(ValueError, match=r".*"):
        parsing.plain_hosts(raw)
