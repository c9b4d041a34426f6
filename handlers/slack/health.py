"""What Slack's refusals and the library's errors mean."""

from __future__ import annotations

from http import HTTPStatus

from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_slack_response import AsyncSlackResponse

GONE = frozenset(
    {
        "message_not_found",
        "cant_update_message",
        "cant_delete_message",
        "edit_window_closed",
        "is_inactive",
        "update_failed",
    }
)
"""The message cannot be edited any more."""
NO_THREAD = frozenset({"thread_not_found", "invalid_thread_ts", "cannot_reply_to_message", "message_not_found"})
"""A new message cannot go under the one it should."""
BAD_BLOCKS = frozenset({"invalid_blocks", "invalid_blocks_format", "msg_blocks_too_long"})
"""The text may go through without its blocks."""
FOREIGN_KEYS = frozenset({"invalid_auth", "not_authed", "account_inactive", "token_revoked", "token_expired"})
"""The token opens nothing."""
CLOSED = FOREIGN_KEYS | {
    "access_denied",
    "channel_is_limited_access",
    "channel_not_found",
    "ekm_access_denied",
    "is_archived",
    "missing_scope",
    "no_permission",
    "not_allowed_token_type",
    "not_in_channel",
    "org_login_required",
    "restricted_action",
    "restricted_action_read_only_channel",
    "restricted_action_thread_locked",
    "team_access_not_granted",
    "user_not_found",
    "user_not_in_channel",
}
"""Somebody has to do something before the bot can write there."""
LIMITED = frozenset({"ratelimited", "rate_limited", "message_limit_exceeded"})
OUT_OF_ORDER = frozenset(
    {"fatal_error", "internal_error", "request_timeout", "service_unavailable", "team_added_to_org", "accesslimited"}
)
"""It is theirs, and passes."""
USUAL_REST = 30.0
"""Seconds of a flood control that does not say how long it lasts."""

_REMEDIES = {
    "not_in_channel": "invite it there with /invite",
    "channel_not_found": "check slack.channel, and invite the bot there",
    "is_archived": "unarchive it, or set another slack.channel",
    "missing_scope": "install the app anew from its manifest",
}


def reason(error: Exception) -> str:
    """Slack's word for a refusal; empty where it gave none."""
    answer = error.response if isinstance(error, SlackApiError) else None
    if not isinstance(answer, AsyncSlackResponse) or not isinstance(answer.data, dict):
        return ""
    return str(answer.data.get("error") or "")


def rest(error: Exception) -> float | None:
    """How many seconds Slack wants to be left alone; ``None`` where it does not ask for that."""
    answer = error.response if isinstance(error, SlackApiError) else None
    if not isinstance(answer, AsyncSlackResponse):
        return None
    if answer.status_code != HTTPStatus.TOO_MANY_REQUESTS and reason(error) not in LIMITED:
        return None
    after = str(answer.headers.get("Retry-After", ""))
    return float(after) if after.isdigit() else USUAL_REST


def explained(error: Exception) -> str:
    """A failure in words for people. They name no token, and stay the same as long as the failure does."""
    word = reason(error)
    if rest(error) is not None:
        return "Slack asks the bot to slow down."
    if word in FOREIGN_KEYS:
        return f"Slack refuses the bot's token ({word}): check slack.bot_token and slack.app_token."
    if word and word not in OUT_OF_ORDER:
        remedy = _REMEDIES.get(word)
        return f"Slack refuses: {word}{f': {remedy}' if remedy else ''}."
    return "Slack cannot be reached."
