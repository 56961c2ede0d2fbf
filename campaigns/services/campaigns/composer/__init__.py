"""What a draft needs while it is written: how it reads so far, and what it still lacks."""
