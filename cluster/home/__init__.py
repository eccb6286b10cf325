"""`$QUORUM_HOME` and its files, and the connections to the stores."""
