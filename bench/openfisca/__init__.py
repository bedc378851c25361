"""The same outpatient formula in OpenFisca, in an environment of its own."""
