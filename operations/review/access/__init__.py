"""Who may do what: decided on templates alone, for all requests of a question at once, and compared.

``World.of(assembly).answer(...)`` answers one question, ``promises`` proves what the roles promise, ``changes`` says in
words what a change does. What stands where: ``symbols`` and ``language`` (texts and patterns), ``statements``,
``conditions`` and ``decide`` (policies), ``values``, ``guarded`` and ``world`` (templates), ``pieces``, ``phrases`` and
``comparison`` (differences).
"""

from operations.review.access.comparison import changes
from operations.review.access.decide import Answer
from operations.review.access.found import AccessChange
from operations.review.access.promised import Verdict, promises
from operations.review.access.world import World

__all__ = ["AccessChange", "Answer", "Verdict", "World", "changes", "promises"]
