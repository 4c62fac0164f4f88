"""What stands behind `phantomsim.physics.rng`: the generator and one sampler a file.

The scalar functions here are for use inside other kernels: `philox.philox` gives four random words for a counter,
`philox.uniform_from_word` and `real.normal_pair` turn words into draws, `poisson.poisson_draw` counts.
"""
