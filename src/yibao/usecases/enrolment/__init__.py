"""Who is insured: employers, joiners and leavers, residents, retirement, death, and one number for each person."""
