"""What is read aloud: stored sentences, permissions, the audit trail, failures."""
