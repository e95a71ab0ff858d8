"""Analytics: what is sold, looked at and paid, in sums that the log of events keeps."""
