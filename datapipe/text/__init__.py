"""What every rule looks through: one shared view of documents, language identification, normal forms."""
