"""Feeding while everything breaks: seeded schedules of faults, and what is left afterwards.

A schedule is made of its seed alone. Its faults strike at bulk requests that are counted, not at
times, so that a seed that failed fails again when it is run alone.
"""
