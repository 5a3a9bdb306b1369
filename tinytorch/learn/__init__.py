"""The course: its chapters, its exercises, and the gradient doctor. ``python -m tinytorch.learn`` runs it."""
