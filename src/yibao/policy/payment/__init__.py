"""What a stay paid by group earns: weights, points, packets, outliers, by-disease amounts, and closing the year."""
