"""Regularizers, one small module each, named as configurations name them.

A module holds one class derived from ``base.Regularizer``. Its declaration - title, formula, citation, where it
acts, settings - is written in literals, because the workflow reads it without running the module: see
``regatlas.registry``.
"""
