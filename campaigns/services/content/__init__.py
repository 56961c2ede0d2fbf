"""Texts are stored: of campaigns and of message templates alike."""
