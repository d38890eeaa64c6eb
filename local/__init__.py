"""The embedded AWS: moto in one process that behaves in time, with the real binary as its Lambda function.

It serves `make run` and the end-to-end tests; nothing of it is deployed. README.md in this folder is its map.
"""
