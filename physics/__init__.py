"""Numbers: arrays, kernels, random streams, grids, operators and the physics engines built on them."""
