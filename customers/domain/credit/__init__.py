"""What is known of a person's credit elsewhere, and what they can afford."""
