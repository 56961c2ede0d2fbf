"""What a campaign is: specification, steps from draft to done, experiments, schedule."""
