"""What a customer showed."""
