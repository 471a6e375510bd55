"""The embedded PostgreSQL: a server of our own, for machines that have none.

`place` knows where its files are and which user runs it, `processes` tells our server from a
stranger with the same process id, `cluster` makes, starts and stops it.
"""
