"""What the login service answers when it says no: Microsoft's numbers, and their texts."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import uuid4

from starlette.responses import JSONResponse


class SignInError(Exception):
    """The login service says no."""

    def __init__(self, number: int, error: str, text: str, status: int = 400) -> None:
        super().__init__(text)
        self.number = number
        self.error = error
        self.text = text
        self.status = status

    def response(self) -> JSONResponse:
        """Give Microsoft's body: number, text and the ids to report."""
        trace, correlation = str(uuid4()), str(uuid4())
        moment = datetime.now(UTC).strftime("%Y-%m-%d %H:%M:%SZ")
        body = {
            "error": self.error,
            "error_description": f"AADSTS{self.number}: {self.text} Trace ID: {trace} "
            f"Correlation ID: {correlation} Timestamp: {moment}",
            "error_codes": [self.number],
            "timestamp": moment,
            "trace_id": trace,
            "correlation_id": correlation,
            "error_uri": f"https://login.microsoftonline.com/error?code={self.number}",
        }
        return JSONResponse(body, self.status, {"cache-control": "no-store, no-cache"})


def of_client(number: int, text: str) -> SignInError:
    """Give the refusal of an application that does not prove who it is."""
    return SignInError(number, "invalid_client", text, 401)
