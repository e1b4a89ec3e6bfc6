"""What was authorised: the record of every allowed and denied call."""
