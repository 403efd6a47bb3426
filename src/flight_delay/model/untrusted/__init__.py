"""A model file that somebody sent: examined name by name, opened once in a process of its own, converted."""
