"""The gate before every way in; plans checked, published, amended, tried."""
