"""Events, and the lifecycle that follows from them."""
