"""What people are told of beside what they look at."""
