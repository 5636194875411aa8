from datetime import datetime
from decimal import Decimal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from inventory.api.schemas.fields import Barcode, Category, Name, Price, ReorderLevel, Sku, Unit


class ItemCreate(BaseModel):
    model_config = ConfigDict(extra="forbid")

    sku: Sku
    name: Name
    category: Category
    unit: Unit = Field(default="piece", description="What one is: piece, kg, m, box.")
    reorder_level: ReorderLevel = Decimal(0)
    price: Price
    barcode: Barcode | None = None


class ItemUpdate(BaseModel):
    """Only the fields that are sent change; the SKU never does."""

    model_config = ConfigDict(extra="forbid")

    name: Name | None = None
    category: Category | None = None
    unit: Unit | None = None
    reorder_level: ReorderLevel | None = None
    price: Price | None = None
    barcode: Barcode | None = None

    @model_validator(mode="after")
    def _something_valid(self) -> "ItemUpdate":
        if not self.model_fields_set:
            raise ValueError("send at least one field to change")
        empty = [name for name in self.model_fields_set - {"barcode"} if getattr(self, name) is None]
        if empty:
            raise ValueError(f"only barcode can be null, not {', '.join(sorted(empty))}")
        return self


class ItemRead(BaseModel):
    model_config = ConfigDict(from_attributes=True)

    sku: str
    name: str
    category: str
    unit: str
    reorder_level: Decimal
    price: Decimal
    barcode: str | None
    version: int = Field(description="Also the ETag; goes up with each change.")
    created_at: datetime
    updated_at: datetime


class LineError(BaseModel):
    line: int = Field(description="Line of the file, from 1; the header is line 1.")
    field: str | None
    message: str


class ImportResult(BaseModel):
    created: int
    updated: int
    unchanged: int
    applied: bool = Field(description="False after a dry run, and when errors stopped the import.")
    errors: list[LineError]
