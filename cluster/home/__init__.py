"""`$QUORUM_HOME`: what lies there, and the way to the stores."""
