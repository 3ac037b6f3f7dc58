"""What the audit finds, what it finds where nothing is wrong, and what it costs. Prints tables."""
