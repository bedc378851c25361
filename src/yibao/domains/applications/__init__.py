"""Applications: filings that open a benefit, such as the recognition of a chronic disease."""
