"""From what happened to what every destination shows, and what is done where one cannot show it."""
