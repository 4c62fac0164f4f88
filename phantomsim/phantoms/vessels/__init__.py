"""Random trees of vessels in a block of tissue, and the flow through them."""
