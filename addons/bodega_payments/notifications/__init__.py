"""What people are told of payments, in other languages."""
