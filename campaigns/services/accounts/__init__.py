"""The provider accounts behind channels: testing them, and letting them go on after a block."""
