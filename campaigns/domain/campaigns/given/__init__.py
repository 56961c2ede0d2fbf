"""Values that were handed in, read and checked before anything is changed."""
