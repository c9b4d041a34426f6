"""Files on the fake Slack: a place to upload to, the upload, and then they are shared. As strict as the real one."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tests.fakes.slack_api import Messages, missing
from tests.fakes.slack_state import BOT_USER, Json, SlackError, Version, Workspace

MOST_BYTES = 1024**3
SCOPE = "files:write"
CONVERSATION = re.compile(r"[CGDZ][A-Z0-9]*")
"""What ``channel_id`` must look like; the real one wants nine characters or more, the channels of tests are shorter."""


@dataclass(kw_only=True)
class Upload:
    """A file that was announced; ``content`` once it came, ``shared`` once it was shared."""

    id: str
    name: str
    length: int
    alt: str
    content: bytes | None = None
    shared: bool = False


class Files:
    """The two methods about files, and what comes between them."""

    def __init__(self, workspace: Workspace, messages: Messages) -> None:
        self._at, self._messages = workspace, messages
        self.address = ""
        """Where uploads go: the server knows."""
        self.uploads: dict[str, Upload] = {}
        self.methods: dict[str, tuple[str, Callable[[Json], Json]]] = {
            "files.getUploadURLExternal": (SCOPE, self._announce),
            "files.completeUploadExternal": (SCOPE, self._complete),
        }

    def _announce(self, params: Json) -> Json:
        name, length = str(params.get("filename") or ""), str(params.get("length") or "")
        if not name:
            raise missing("filename")
        if not length.isdecimal() or not 0 < int(length) <= MOST_BYTES:
            raise SlackError("invalid_arguments", response_metadata={"messages": ["[ERROR] must be greater than 0"]})
        upload = Upload(
            id=f"F{self._at.name().upper()}", name=name, length=int(length), alt=str(params.get("alt_txt", ""))
        )
        self.uploads[upload.id] = upload
        return {"upload_url": f"{self.address}/upload/{upload.id}", "file_id": upload.id}

    def take(self, file_id: str, content: bytes) -> bool:
        """The upload itself; whether it is what was announced."""
        upload = self.uploads.get(file_id)
        if upload is None or len(content) != upload.length:
            return False
        upload.content = content
        return True

    def _complete(self, params: Json) -> Json:
        found = [self._uploaded(each) for each in _listed(params.get("files"))]
        if not found:
            raise missing("files")
        if channel := str(params.get("channel_id") or ""):
            self._share(channel, found, params)
        return {"files": [{"id": upload.id, "title": title} for upload, title in found]}

    def _share(self, channel: str, found: list[tuple[Upload, str]], params: Json) -> None:
        if not CONVERSATION.fullmatch(channel):
            pattern = "^[CGDZ][A-Z0-9]{8,}$"
            said = f"[ERROR] input must match regex pattern: {pattern} [json-pointer:/channel_id]"
            raise SlackError("invalid_arguments", response_metadata={"messages": [said]})
        where = self._messages.open_channel({"channel": channel})
        thread = self._messages.thread(where, params.get("thread_ts"))
        version = Version(text=str(params.get("initial_comment") or ""), blocks=[])
        files = tuple(upload.content or b"" for upload, _ in found)
        self._at.add(where, BOT_USER, version, thread_ts=thread, files=files)
        for upload, _ in found:
            upload.shared = True

    def _uploaded(self, asked: Json) -> tuple[Upload, str]:
        upload = self.uploads.get(str(asked.get("id", "")))
        if upload is None or upload.content is None or upload.shared:
            raise SlackError("file_not_found")
        return upload, str(asked.get("title") or upload.name)


def _listed(value: Any) -> list[Json]:
    try:
        found = json.loads(value) if isinstance(value, str) else value
    except ValueError as error:
        raise SlackError("invalid_arguments") from error
    return found if isinstance(found, list) else []
