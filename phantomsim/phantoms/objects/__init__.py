"""Test objects: what physicists scan to measure a scanner. Sources and their grades stand in each docstring."""
