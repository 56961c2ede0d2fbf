"""What is kept beside the rows of messages: texts as sent, values, sends of no campaign."""
