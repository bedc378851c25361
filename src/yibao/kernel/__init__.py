"""The words everything else is written in: money, periods, ids, refusals. Imports nothing of ours."""
