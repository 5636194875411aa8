"""Field types shared by requests and responses."""

from decimal import Decimal
from typing import Annotated

from pydantic import AfterValidator, Field, StringConstraints

# Names may go into spreadsheets, where a leading = + - @ would start a formula.
_PLAIN = r"^[^=+\-@\x00-\x1f\x7f][^\x00-\x1f\x7f]*$"


def _upper(value: str) -> str:
    return value.upper()


def decimals(places: int) -> AfterValidator:
    """The same number of decimals as the database gives, so that equal values look equal everywhere."""
    return AfterValidator(lambda value: value.quantize(Decimal(1).scaleb(-places)))


Sku = Annotated[
    str,
    StringConstraints(strip_whitespace=True, pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$"),
    AfterValidator(_upper),
    Field(
        description="Stock-keeping unit: 1 to 64 letters, digits, `.`, `_`, `-`; upper case.",
        examples=["BOLT-M8"],
    ),
]
LocationCode = Annotated[
    str,
    StringConstraints(strip_whitespace=True, pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,31}$"),
    AfterValidator(_upper),
    Field(
        description="Location code: 1 to 32 letters, digits, `.`, `_`, `-`; upper case.", examples=["MAIN"]
    ),
]
Name = Annotated[str, StringConstraints(strip_whitespace=True, max_length=200, pattern=_PLAIN)]
Category = Annotated[str, StringConstraints(strip_whitespace=True, max_length=64, pattern=_PLAIN)]
Unit = Annotated[str, StringConstraints(strip_whitespace=True, max_length=16, pattern=_PLAIN)]
Barcode = Annotated[str, StringConstraints(strip_whitespace=True, pattern=r"^[A-Za-z0-9-]{4,32}$")]
Note = Annotated[str, StringConstraints(strip_whitespace=True, max_length=500, pattern=r"^[^\x00]+$")]
Reference = Annotated[
    str, StringConstraints(strip_whitespace=True, max_length=64, pattern=r"^[^\x00-\x1f\x7f]+$")
]

Price = Annotated[
    Decimal,
    Field(
        ge=0, le=Decimal(1_000_000_000), decimal_places=2, description="Price of one unit, up to 2 decimals."
    ),
    decimals(2),
]
ReorderLevel = Annotated[
    Decimal,
    Field(
        ge=0,
        le=Decimal(1_000_000_000),
        decimal_places=3,
        description="The item is low when its total stock is at or below this; 0 switches the warning off.",
    ),
    decimals(3),
]
Quantity = Annotated[
    Decimal,
    Field(gt=0, le=Decimal(1_000_000_000), decimal_places=3, description="Units, up to 3 decimals."),
    decimals(3),
]
