from typing import Any

from pydantic import BaseModel, ConfigDict, Field


class ProblemRead(BaseModel):
    """RFC 9457 problem details; some kinds add fields of their own."""

    model_config = ConfigDict(extra="allow")

    type: str = Field(examples=["urn:inventory:problem:insufficient-stock"])
    title: str
    status: int
    detail: str = Field(description="What is wrong, and what to do next.")
    request_id: str


def _problem(description: str) -> dict[str, Any]:
    schema = {"$ref": "#/components/schemas/ProblemRead"}
    return {
        "description": description,
        "model": ProblemRead,
        "content": {"application/problem+json": {"schema": schema}},
    }


PROBLEM_RESPONSES: dict[int | str, dict[str, Any]] = {
    400: _problem("A header, cursor or file cannot be used."),
    401: _problem("No valid API key."),
    403: _problem("The key's role does not allow this."),
    404: _problem("There is no such record."),
    409: _problem("The state of the data does not allow this."),
    412: _problem("The record has changed since it was read."),
    413: _problem("The request is too large."),
    422: _problem("The request does not match the API."),
    428: _problem("If-Match is missing."),
    429: _problem("Over the rate limit; Retry-After says how long to wait."),
    503: _problem("The database is busy or away; Retry-After says when to try again."),
}
