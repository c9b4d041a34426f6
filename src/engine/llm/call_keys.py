"""What a call is about, as one short text: the same question to the same model has the same key."""

from __future__ import annotations

import json
from hashlib import sha256

from engine.domain.model_calls import ModelRequest


def schema_text(request: ModelRequest) -> str:
    """The wanted schema as text, always the same for the same schema; empty where any text will do."""
    return "" if request.schema is None else json.dumps(request.schema, sort_keys=True, separators=(",", ":"))


def call_key(provider: str, request: ModelRequest) -> str:
    """The key of a question to a model of a provider: model, prompts and schema make it, and which vote it is."""
    asked = (provider, request.model, request.system_message, request.prompt, schema_text(request))
    parts = asked if request.vote == 1 else (*asked, str(request.vote))
    return sha256(json.dumps(parts).encode()).hexdigest()[:40]
