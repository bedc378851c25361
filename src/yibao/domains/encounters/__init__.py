"""Encounters: visits, their diagnoses and fee lines."""
