"""Traffic for a deployed endpoint, changed as one likes, and the true labels that come to it later.

``changes`` and ``samples`` say what is sent, ``pace`` when, ``send`` sends it; ``capture`` reads what the endpoint has
kept, ``labels`` says what is true of it, ``truth`` delivers that in the form of SageMaker's Model Monitor.
"""
