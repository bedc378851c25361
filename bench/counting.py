def count_settlement(postgres, sizes): return {}
