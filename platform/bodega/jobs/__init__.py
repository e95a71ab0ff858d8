"""Jobs: rows with a lease; Huey only carries the wake-up.

A job's status:

========== =========================================================
queued     waits for its time and a worker
running    claimed; its lease is renewed while the worker lives
parked     its addon is disabled; enabling it queues it again
succeeded  done
dead       failed for good, or tried too often
cancelled  an operator stopped it
========== =========================================================
"""
