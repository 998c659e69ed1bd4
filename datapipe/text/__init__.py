"""What every rule looks through: one shared view of documents, and which language they are in."""
