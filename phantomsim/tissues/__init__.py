"""The tissue library: one table of properties behind every modality."""
