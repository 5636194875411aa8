from datetime import datetime
from decimal import Decimal

from pydantic import BaseModel, Field


class StockRow(BaseModel):
    sku: str
    location: str
    quantity: Decimal
    updated_at: datetime


class StockAtLocation(BaseModel):
    location: str
    quantity: Decimal
    updated_at: datetime


class ItemStock(BaseModel):
    sku: str
    unit: str
    total: Decimal
    locations: list[StockAtLocation]


class LowStockRow(BaseModel):
    sku: str
    name: str
    category: str
    unit: str
    reorder_level: Decimal
    total: Decimal
    missing: Decimal = Field(description="Units to order to reach the reorder level.")


class LocationValue(BaseModel):
    location: str
    units: Decimal
    value: Decimal = Field(description="Units times the items' present prices.")
