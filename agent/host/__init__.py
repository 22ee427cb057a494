"""The engine in a process of its own, for front ends that must stay quick: the editors' server.

A front end starts one host, speaks to it in lines of JSON over its standard streams, and imports
nothing heavy itself. A host outlives its front end where the user wants runs to go on.
"""
