"""What a pharmacy does beyond settling: drugs on prescriptions in insured bills."""
