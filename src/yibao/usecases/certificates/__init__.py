"""Certificates of enrolment and benefit: made of facts, printed, checked by strangers."""
