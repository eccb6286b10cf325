"""Links: how replicas of one machine ask each other, past Serve's handles.

A call over a handle costs about 1.5 ms of processor time at its two ends whatever it carries; over
a Unix socket it costs a tenth. Serve still decides which replicas there are: it places, scales,
checks, rolls out and stops them. Each replica opens a socket when it is ready and closes it when
Serve tells it to go; who asks finds the sockets in a folder, asks the replica with the fewest rows
in hand, and uses the handle where there is no socket: another machine, or no folder named.

    plain.py        values as bytes that run nothing
    frame.py        messages on the stream
    peer.py         both ends are this user's
    server.py       what answers: a replica's methods
    link.py         a connection to one replica
    switchboard.py  all links of this process, by pool
    linked.py       one method of a pool: over a link, else over the handle
"""
