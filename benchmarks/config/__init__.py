"""From words to typed requests, through Hydra."""
