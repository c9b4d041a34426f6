"""The commands of the command line, a file for each word after ``bot``; ``bot.cli`` has them in one table."""
