"""What runs behind an endpoint: servers per variant, captured traffic, metrics."""
