"""The web chat, the dashboard and the API."""
