"""DualLip's lip generator: recurrent, with location-sensitive attention; a reconstruction."""
