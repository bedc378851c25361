"""Enrolment: what somebody is insured for, from when to when."""
