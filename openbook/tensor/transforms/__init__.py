"""Functions of functions: gradients, products with Jacobians and Hessians, stacks of cases; nested in any mixture."""
