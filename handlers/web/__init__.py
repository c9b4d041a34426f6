"""The web chat, the dashboard and the API."""

from pydantic import BaseModel

# FastAPI builds a check of all that OpenAPI knows when it is imported: a twentieth of a start, for /openapi.json alone.
BaseModel.model_config["defer_build"] = True
try:
    import fastapi as fastapi
finally:
    del BaseModel.model_config["defer_build"]
