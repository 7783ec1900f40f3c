"""Real SIP phones in Python: for newcomers without one, for `make demo`, and for the system tests.

Decides how a phone behaves (dial, answer, refuse, press keys, speak, listen) and how a call is told to a person.
Refuses to know the service's insides: a phone meets Cordboard only as any phone does, by SIP and RTP, and a transcript
only as any browser does, by the WebSocket of live events.
"""
