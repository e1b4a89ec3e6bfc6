"""``sandcastle doctor``: what would go wrong in this account and region, before anything is deployed."""

from operations.doctor.examination import examine

__all__ = ["examine"]
