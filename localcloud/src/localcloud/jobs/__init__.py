"""Jobs and model servers: what SageMaker runs in containers, run here as sandboxed processes."""
