"""What every section of the configuration has in common."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Iterator
from itertools import pairwise
from textwrap import dedent
from typing import Any, get_args

from pydantic import BaseModel, ConfigDict, GetJsonSchemaHandler, ValidationInfo, field_validator
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema

from config.kinds import problem


class Section(BaseModel):
    """A group of settings. Cannot be changed, and refuses names it does not know."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        validate_default=True,
        hide_input_in_errors=True,
        allow_inf_nan=False,
        str_strip_whitespace=True,
        str_min_length=1,
        defer_build=True,  # all that is ever checked is the whole: nobody checks a section alone
    )

    @field_validator("*", mode="before")
    @classmethod
    def _true_is_no_number(cls, value: Any, info: ValidationInfo) -> Any:
        kind = cls.model_fields[info.field_name or ""].annotation
        if isinstance(value, bool) and bool not in (kind, *get_args(kind)):
            raise problem("must not be true or false")
        return value

    @classmethod
    def __get_pydantic_json_schema__(cls, core_schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        """With what is written below each setting; pydantic would read that at every start, for a tenth of a second."""
        schema = handler(core_schema)
        properties = handler.resolve_ref_schema(schema)["properties"]
        for section in (each for each in cls.__mro__ if issubclass(each, Section)):
            for name, words in _described(section):
                if name in properties:
                    properties[name].setdefault("description", words)
        return schema


def _described(section: type[Section]) -> Iterator[tuple[str, str]]:
    """Each setting of a section, and the words below it."""
    [written] = ast.parse(dedent(inspect.getsource(section))).body
    lines = written.body if isinstance(written, ast.ClassDef) else []
    for setting, below in pairwise(lines):
        match setting, below:
            case ast.AnnAssign(target=ast.Name(id=name)), ast.Expr(value=ast.Constant(value=str() as words)):
                yield name, inspect.cleandoc(words)
