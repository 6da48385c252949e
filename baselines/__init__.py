"""What HH-T2L is compared with: two autoregressive rivals, and controls that need no learning."""
