"""Early warning: signs that a person, a partner's loans or a group are getting worse."""
