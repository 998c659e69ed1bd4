"""What measures speed and quality; nothing here is a test."""
