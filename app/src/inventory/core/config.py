"""Settings: environment variables `INVENTORY_*`, and secrets as files in `INVENTORY_SECRETS_DIR`."""

import os
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Literal

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    PostgresDsn,
    SecretStr,
    TypeAdapter,
    ValidationError,
    field_validator,
)
from pydantic_settings import BaseSettings, SettingsConfigDict

DEFAULT_SECRETS_DIR = Path("/etc/inventory/secrets")


class Role(StrEnum):
    """What a key may do: reader reads, clerk also records movements, admin also changes master data."""

    READER = "reader"
    CLERK = "clerk"
    ADMIN = "admin"


class ApiKey(BaseModel):
    """One API key, known by its SHA-256: keys are long random strings, so a plain hash is enough."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(pattern=r"^[a-zA-Z0-9][a-zA-Z0-9._-]{0,63}$")
    role: Role
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$")


class Settings(BaseSettings):
    """Every setting of the service; the README has the same table."""

    model_config = SettingsConfigDict(env_prefix="INVENTORY_", extra="ignore", hide_input_in_errors=True)

    environment: str = "development"
    version: str = "0.0.0"
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    # A container is reached through its pod's address.
    host: str = "0.0.0.0"  # noqa: S104  # nosec B104
    port: Annotated[int, Field(ge=0, le=65535)] = 8080

    database_url: SecretStr
    database_pool_size: Annotated[int, Field(ge=1, le=200)] = 10
    database_timeout_seconds: Annotated[float, Field(gt=0, le=120)] = 5
    statement_timeout_seconds: Annotated[float, Field(gt=0, le=600)] = 10
    expected_schema_revision: Annotated[str | None, Field(pattern=r"^[0-9]{4}$")] = None

    api_keys: list[ApiKey]
    rate_limit_per_minute: Annotated[int, Field(ge=0)] = 6000
    max_request_bytes: Annotated[int, Field(ge=1024)] = 1_048_576

    shutdown_delay_seconds: Annotated[float, Field(ge=0, le=300)] = 5
    shutdown_grace_seconds: Annotated[int, Field(ge=1, le=600)] = 25
    business_metrics_interval_seconds: Annotated[float, Field(ge=1, le=3600)] = 15

    @field_validator("database_url")
    @classmethod
    def _database_is_postgresql(cls, value: SecretStr) -> SecretStr:
        try:
            TypeAdapter(PostgresDsn).validate_python(value.get_secret_value())
        except ValidationError:
            scheme_ok = False
        else:
            scheme_ok = value.get_secret_value().startswith("postgresql+psycopg://")
        if not scheme_ok:
            message = "must look like postgresql+psycopg://user:password@host:5432/database"
            raise ValueError(message)
        return value

    @field_validator("api_keys")
    @classmethod
    def _keys_are_distinct(cls, value: list[ApiKey]) -> list[ApiKey]:
        if len({key.name for key in value}) != len(value) or len({key.sha256 for key in value}) != len(value):
            message = "names and sha256 values must each be unique"
            raise ValueError(message)
        return value


class SettingsError(Exception):
    """The settings cannot be used; the message lists every problem at once, and no secret value."""


def secrets_dir() -> Path | None:
    """The folder with the secret files, or None where there is none (then the environment must do)."""
    folder = Path(os.environ.get("INVENTORY_SECRETS_DIR", DEFAULT_SECRETS_DIR))
    return folder if folder.is_dir() else None


def load_settings() -> Settings:
    """Reads the settings; raises SettingsError naming each variable that is missing or wrong."""
    try:
        return Settings(_secrets_dir=secrets_dir())  # type: ignore[call-arg]  # filled from the environment
    except ValidationError as error:
        lines = [
            f"  INVENTORY_{'.'.join(str(part) for part in problem['loc']).upper()}: {problem['msg']}"
            for problem in error.errors(include_url=False, include_input=False)
        ]
    except ValueError as error:  # pydantic-settings: JSON that cannot be read, file or variable
        lines = [f"  {error}"]
    where = f"the environment or files in {secrets_dir() or 'INVENTORY_SECRETS_DIR'}"
    raise SettingsError("The settings are not usable; set them in " + where + ":\n" + "\n".join(lines))
