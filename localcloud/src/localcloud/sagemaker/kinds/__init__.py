"""The kinds of resource, one module each, all of the same shape.

A module holds a class that is built with the ``Core`` and offers ``operations()`` and ``reset()``: the request
members it honours as trees at the top, then create, describe, list, stop, update and delete as far as the kind
has them. A new kind is a new module and a line in ``service.KINDS``.
"""
