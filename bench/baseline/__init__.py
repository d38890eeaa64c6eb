"""What a user would otherwise write: a Python Lambda with fixed waits, and the state machine around it."""
