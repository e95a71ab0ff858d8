"""Mail: rows with a sealed body, sent by jobs of the lane mail.

A mail's status:

====== =========================================================
queued waits for a worker, or for its next try
sent   a mail server took it; its body is gone from here
kept   the shop knows no mail server; it can be read here
failed a mail server refused it, or none was reached in time
====== =========================================================
"""
