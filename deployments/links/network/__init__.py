"""TCP connections between machines, on which both ends have proved that they know the pepper.

proof.py       what each end sends, and when it is right
handshake.py   the exchange of proofs at the start of a connection
tls.py         TLS with the certificates of Ray
listener.py    a port at which callers prove themselves
network.py     listens and connects, as the settings say
pulse.py       notices an end that has gone silent
"""
