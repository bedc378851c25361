"""The REST API: routes that translate HTTP into use cases, with rights, keys and problem details."""
