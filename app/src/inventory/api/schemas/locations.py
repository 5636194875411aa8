from datetime import datetime

from pydantic import BaseModel, ConfigDict, Field

from inventory.api.schemas.fields import LocationCode, Name


class LocationCreate(BaseModel):
    model_config = ConfigDict(extra="forbid")

    code: LocationCode
    name: Name


class LocationUpdate(BaseModel):
    model_config = ConfigDict(extra="forbid")

    name: Name


class LocationRead(BaseModel):
    model_config = ConfigDict(from_attributes=True)

    code: str
    name: str
    version: int = Field(description="Also the ETag; goes up with each change.")
    created_at: datetime
    updated_at: datetime
