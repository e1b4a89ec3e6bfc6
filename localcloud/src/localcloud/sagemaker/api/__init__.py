"""The service's interface as data: botocore's model, request validation, supported members, reply shaping."""
