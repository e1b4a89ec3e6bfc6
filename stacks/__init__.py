"""What is deployed: one module per stack, wiring and nothing else."""
