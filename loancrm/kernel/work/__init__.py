"""Long work in the background: who holds it, how far it is, and what people ask of it."""
