"""What providers and people answer: reports, bounces, refusals, replies, visits."""
