"""What `up` gives to the processes that it starts."""

import os

import pytest

from loancrm.kernel.management.commands import up


@pytest.mark.parametrize(
    ("host", "said", "expected"),
    [
        ("127.0.0.1", None, "http://127.0.0.1:8106"),
        ("0.0.0.0", None, "http://127.0.0.1:8106"),  # noqa: S104 - nothing listens
        ("127.0.0.1", "https://crm.example.com", "https://crm.example.com"),
    ],
)
def test_u16_links_lead_to_where_the_server_listens(
    monkeypatch: pytest.MonkeyPatch, host: str, said: str | None, expected: str
) -> None:
    class Recorder:
        def __init__(self, *_specs: object, **_options: object) -> None:
            given.update(os.environ)

        def start(self) -> None:
            pass

        def run(self) -> None:
            pass

    given: dict[str, str] = {}
    clean = {name: value for name, value in os.environ.items() if name != "LOANCRM_PUBLIC_URL"}
    monkeypatch.setattr(os, "environ", clean | ({"LOANCRM_PUBLIC_URL": said} if said else {}))
    monkeypatch.setattr(up, "Supervisor", Recorder)
    monkeypatch.setattr(up.connections, "close_all", lambda: None)

    up.Command()._run({"host": host, "port": 8106, "web_workers": 1, "concurrency": 1})

    assert given["LOANCRM_PUBLIC_URL"] == expected
