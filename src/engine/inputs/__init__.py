"""What a decision is made on, checked and kept with its age."""
