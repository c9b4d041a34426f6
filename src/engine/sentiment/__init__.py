"""What people and indices think of a coin: texts made safe, matched to coins, told apart and scored."""
