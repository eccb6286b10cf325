"""Links: how replicas call each other without Serve's handles.

A call over a handle costs about 1.5 ms of processor time at its two ends, whatever it carries; over
a link it costs a tenth. Serve still decides which replicas there are: it places, scales, checks,
rolls out and stops them. Each replica opens a Unix socket when it is ready, and a TCP port as well
if there are other machines. It closes both when Serve stops it. A caller finds the sockets in a
folder, the ports in a registry, and calls the replica of its machine with the fewest rows in
flight; one of another machine if those here have enough or are gone; and without a link the handle.

    codec.py          values as bytes that cannot run code
    message.py        messages on the stream
    names.py          names of pools and replicas
    peer.py           both ends of a Unix socket belong to this user
    network/          TCP between machines: proof, TLS, pings
    registry/         where the replicas of all machines listen
    server.py         serves a replica's methods
    link.py           a connection to one replica
    table.py          links by replica and by pool
    lookouts/         find replicas and connect to them
    switchboard.py    all links of this process: which one is called
    linked_method.py  one method of a pool: over a link, else over the handle
    replica.py        the links of a Serve replica
"""
