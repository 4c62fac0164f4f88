"""Bodies that no closed form describes, on the host: star surfaces, swept tubes, signed distances, triangle meshes."""
