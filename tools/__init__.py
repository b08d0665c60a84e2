"""What makes files of the package from the work of others."""
