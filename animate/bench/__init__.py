"""How fast the engine is, and what its mark survives."""
