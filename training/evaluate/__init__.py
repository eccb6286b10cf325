"""How good a training run is, on payments later than all that was learnt from."""
