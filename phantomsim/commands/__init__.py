"""What the commands of the command line do; `phantomsim.cli` holds their options."""
