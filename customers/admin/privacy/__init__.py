"""Pages of people's requests and consents."""
