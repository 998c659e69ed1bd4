"""Process groups, layers that tensor ranks share, the pipeline and DeepSpeed's config; nothing else imports deepspeed."""
