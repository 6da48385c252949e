"""The base of all that a record holds."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class FrozenModel(BaseModel):
    """Data of a record: it cannot be changed, and has no unknown field."""

    model_config = ConfigDict(frozen=True, extra="forbid", ser_json_inf_nan="strings")
