"""The durable state: models, which of them is live, and every prediction that was answered."""
