"""Who has changed since a consumer last looked: one feed over the tables that manifests declare."""
