"""The edge: HAProxy as Serve configures it, held up and corrected by us.

Serve starts "HAProxy" by a path. What lies at that path here is a stand-in (`stand_in.py`): it
corrects the configuration (`rewrite.py`), hands it to a keeper (`keeper.py`), who runs the real
HAProxy and starts it again the moment it dies, and answers Serve as if it were HAProxy itself.
Both run on the standard library alone: they start in milliseconds and take ten megabytes.
"""
