"""The commands: every menu, every help text and every answer to a typed command comes from their table.

what somebody wrote ─▶ table: which command, may they ─▶ reads │ figures │ backtests │ acts ─▶ a card
"""

from handlers.commands.backtests import Backtest
from handlers.commands.menu import build_commands
from handlers.commands.reads import RecentLogs
from handlers.commands.table import Call, Command, CommandTable

__all__ = ["Backtest", "Call", "Command", "CommandTable", "RecentLogs", "build_commands"]
