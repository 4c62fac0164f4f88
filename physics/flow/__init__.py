"""Flow of blood in networks of vessels: profiles, tubes, and the velocity anywhere in a tree."""
