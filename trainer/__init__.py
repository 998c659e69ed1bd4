"""The trainer: encoded token shards in, a trained, evaluated and exported model out."""
