"""What can be asked of a network as a whole: its parameters, whether it bends, how its loss curves, what depth leaves of a gradient."""
