"""What the reader was told, behind the bell."""
