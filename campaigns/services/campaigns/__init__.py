"""Campaigns from draft to end: authoring, approval, launch, and the tick."""
