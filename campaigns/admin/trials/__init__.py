"""Tests of texts, and what experiments will show, in the form and on the page of a campaign."""
