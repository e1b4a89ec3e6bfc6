"""Studio: what its five kinds (domain, user profile, space, app, lifecycle configuration) have in common.

``records`` holds the tables and the questions that the kinds ask about each other, ``settings`` the trees of
settings and which of them wins, ``states`` the transitions, ``tags`` what goes from a domain to what is in it,
``network`` the home EFS with its security groups, ``startup`` how an app comes up.
"""
