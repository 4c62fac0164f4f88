"""Storage: samples in sharded Zarr behind done-markers; run, resume, verify, repair."""
