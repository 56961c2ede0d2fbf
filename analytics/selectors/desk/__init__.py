"""What a marketer and an approver find on their desk."""
