"""What is said in place of an answer: what went wrong, or where the answer is. Pure."""

from __future__ import annotations

from engine.domain.errors import GreenlightError
from engine.domain.messages import Card


def error(problem: GreenlightError) -> Card:
    """What went wrong, and what to do about it."""
    return Card(title=problem.message, text=problem.remedy)


def fault(reference: str) -> Card:
    """Something unexpected went wrong; the log knows it by this id."""
    return Card(
        title="Something went wrong here", text=f"The log has it as {reference}. /status shows where things stand."
    )


def away() -> Card:
    """A message that was sent while the program did not run."""
    return Card(
        title="That was sent while I was away; nothing was done",
        text="Do it again if you still want it.",
    )


def interrupted() -> Card:
    """For what was being acted on when the program stopped."""
    return Card(
        title="I was stopped in the middle of that; I cannot say whether it was done",
        text="/status shows where things stand. Send it again if it was not done.",
    )


def in_private() -> Card:
    """For everybody where an admin asked what only admins may read."""
    return Card(title="The answer is in your direct messages with me")


def not_in_private(remedy: str) -> Card:
    """The same where there is no way yet to answer in private; the remedy says how there will be one."""
    return Card(title="That is not for everybody here, and I cannot write to you in private yet", text=remedy)


def not_a_button() -> Card:
    """For a press that carries nothing of ours."""
    return Card(title="That button is not one of mine", text="/pending lists the open approvals.")


def hint() -> Card:
    """For a text that is not a command."""
    return Card(title="I understand commands", text="Try /status, /pending or /help.")
