"""What measures speed, scale and identity quality. Prints tables; never part of the tests."""
