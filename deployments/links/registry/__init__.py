"""The registry of the replicas of all machines: where each listens for links.

interface.py   what a registry does
redis.py       the one in Redis
announcer.py   keeps a replica's entry fresh
"""
