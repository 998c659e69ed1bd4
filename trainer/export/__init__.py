"""A trained model as the rest of the world reads it: a Hugging Face directory."""
