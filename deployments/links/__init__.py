"""Links: how replicas of one machine call each other without Serve's handles.

A call over a handle costs about 1.5 ms of processor time at its two ends, whatever it carries; over
a Unix socket it costs a tenth. Serve still decides which replicas there are: it places, scales,
checks, rolls out and stops them. Each replica opens a socket when it is ready and closes it when
Serve stops it. A caller finds the sockets in a folder and calls the replica with the fewest rows in
flight. Where there is no socket, on another machine or without a folder, it uses the handle.

    codec.py          values as bytes that cannot run code
    message.py        messages on the stream
    peer.py           both ends belong to this user
    server.py         serves a replica's methods
    link.py           a connection to one replica
    switchboard.py    all links of this process, by pool
    linked_method.py  one method of a pool: over a link, else over the handle
    replica.py        opens the socket of a Serve replica
"""
