"""Time zones as a setting."""

from __future__ import annotations

from typing import Annotated
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

from pydantic import AfterValidator

from config.kinds import problem
from config.naming import did_you_mean


def _check_zone(value: str) -> str:
    try:
        ZoneInfo(value)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise problem(f"there is no such time zone{did_you_mean(value, available_timezones())}") from error
    return value


ZoneName = Annotated[str, AfterValidator(_check_zone)]
"""A time zone, by its name in the tz database."""
