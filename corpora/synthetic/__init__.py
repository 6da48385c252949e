"""A corpus drawn by rule: talking mouths with known text, durations and landmarks, in no file and of no real person.

It exists to test and time the house without data. Numbers measured on it say nothing about real speech.
"""
