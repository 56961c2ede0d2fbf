"""`/healthz` and `/readyz`: whether the web server answers, and whether it can work.

They are answered before anything else: a probe knows neither the public host name nor TLS.
"""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse

from loancrm.kernel.running import readiness

LIVE, READY = "/healthz", "/readyz"


class ProbeMiddleware:
    """Answers the probes; every other request goes on."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Answer a probe, or hand the request on."""
        if request.path not in {LIVE, READY}:
            return self._get_response(request)
        if request.method not in {"GET", "HEAD"}:
            return HttpResponse(status=405, headers={"Allow": "GET, HEAD"})
        # Codes only: the address is open to everybody who reaches the server.
        wrong = [finding.code for finding in _findings()] if request.path == READY else []
        answer = JsonResponse(
            {"status": "unavailable" if wrong else "ok", "wrong": wrong},
            status=503 if wrong else 200,
        )
        answer["Cache-Control"] = "no-store"
        return answer


def _findings() -> list[readiness.ReadinessFinding]:
    return readiness.connection_findings() + readiness.broker_findings()
