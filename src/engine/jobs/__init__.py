"""What is done when: the table of jobs, and what drives it on the wall."""
