"""The network as the report writes it, and muP's rules for its parameters."""
