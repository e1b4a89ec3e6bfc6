"""Generators of the data that the constructs read at synth; run by hand when AWS publishes something new."""
