"""Lookouts: they find the replicas that a process may call, and connect to them.

folder.py      on this machine, by their sockets in a folder
registered.py  on other machines, in the registry
"""
