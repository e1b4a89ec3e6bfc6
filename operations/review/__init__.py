"""Reads what a change does to an environment, from templates alone: nothing here asks AWS."""
