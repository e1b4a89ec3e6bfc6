"""Who may do what: decided on templates alone, for all requests of a question at once, and compared."""
