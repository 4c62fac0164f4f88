"""Reference reconstructors, one method a file."""
