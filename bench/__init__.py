"""`make bench`: fast and cheap, measured against what a user would pick instead."""
