"""The embedded AWS: moto in one process, made to behave in time, with Lambda processes that are the real binary.

It serves `make run` and the end-to-end tests; nothing of it is deployed. README.md in this folder is its map.
"""
