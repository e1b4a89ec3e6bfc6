"""Puts a finished review into a pull request or merge request: Python's own library only, nothing to install.

It runs where there is a token, apart from where the change's code ran, and trusts nothing of what that left.
"""
