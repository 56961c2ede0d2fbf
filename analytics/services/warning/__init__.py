"""Early warning: alerts are raised and end, cases are worked on, rules are kept."""
