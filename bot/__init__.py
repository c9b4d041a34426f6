"""What starts, wires and stops the program: the only floor that knows every other."""
