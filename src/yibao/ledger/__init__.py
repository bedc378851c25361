"""Where money is: the only writer of balances."""
