"""How bodies move: invertible maps in closed form, driven by signals that are functions of time alone."""
