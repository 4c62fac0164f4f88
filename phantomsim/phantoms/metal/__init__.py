"""Metal in the body: implants of named alloys, made of exact shapes, that a twin without ``"metal"`` lacks."""
