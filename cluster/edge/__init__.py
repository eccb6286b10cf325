"""The edge: HAProxy with Serve's configuration, kept running and corrected by us.

Serve starts "HAProxy" by a path. At that path is our stand-in (`stand_in.py`). It corrects the
configuration (`rewrite.py`), hands it to the keeper (`keeper.py`), and answers Serve as HAProxy
would. The keeper runs the real HAProxy and restarts it the moment it dies. Both use the standard
library only: they start in milliseconds and take ten megabytes.
"""
