from datetime import datetime
from decimal import Decimal
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from inventory.api.schemas.fields import LocationCode, Note, Quantity, Reference, Sku, decimals


def _not_zero(value: Decimal) -> Decimal:
    if value == 0:
        raise ValueError("must not be 0")
    return value


class _Movement(BaseModel):
    model_config = ConfigDict(extra="forbid")

    sku: Sku
    reference: Reference | None = Field(
        default=None, description="Order, delivery note or count it belongs to."
    )
    note: Note | None = None


class Receipt(_Movement):
    """Goods arrive from outside."""

    kind: Literal["receipt"]
    destination: LocationCode
    quantity: Quantity


class Issue(_Movement):
    """Goods leave for good."""

    kind: Literal["issue"]
    source: LocationCode
    quantity: Quantity


class Transfer(_Movement):
    """Goods move from one location to another."""

    kind: Literal["transfer"]
    source: LocationCode
    destination: LocationCode
    quantity: Quantity

    @model_validator(mode="after")
    def _two_locations(self) -> "Transfer":
        if self.source == self.destination:
            raise ValueError("source and destination must differ")
        return self


class Adjustment(_Movement):
    """The books are corrected after a count, a loss or a find; `note` says why."""

    kind: Literal["adjustment"]
    location: LocationCode
    delta: Annotated[
        Decimal,
        Field(ge=Decimal(-1_000_000_000), le=Decimal(1_000_000_000), decimal_places=3),
        AfterValidator(_not_zero),
        decimals(3),
    ] = Field(description="Units found (positive) or lost (negative), up to 3 decimals.")
    note: Note


MovementCreate = Annotated[Receipt | Issue | Transfer | Adjustment, Field(discriminator="kind")]


class MovementRead(BaseModel):
    model_config = ConfigDict(from_attributes=True)

    id: int
    kind: Literal["receipt", "issue", "transfer", "adjustment"]
    sku: str
    quantity: Decimal = Field(description="Always positive; it left `source` and arrived at `destination`.")
    source: str | None
    destination: str | None
    source_balance: Decimal | None = Field(description="Stock at `source` right after this movement.")
    destination_balance: Decimal | None = Field(
        description="Stock at `destination` right after this movement."
    )
    reference: str | None
    note: str | None
    actor: str
    created_at: datetime
