"""The life of models: what is chosen for a training, what is learned from, and what may follow."""
